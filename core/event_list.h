/* THE list of facts. One row gives the struct, the encoder, the decoder and the documentation.
 * Names are past tense. Fields: TEXT(name) const char *, NUM(name) int64_t, FLAG(name) bool, LATENCY(name) struct latency.
 * -1 in a NUM means "not known". Times are wall-clock milliseconds, durations milliseconds unless the name ends in _us.
 *
 *      EVENT(name, "what it says", fields)
 */
EVENT(run_opened, "a run begins: the first line of its journal carries the plan",
      TEXT(name) TEXT(plan_file) TEXT(plan_hash) TEXT(plan) TEXT(host) TEXT(user) TEXT(version) FLAG(rehearsal))
EVENT(engine_started, "an engine took the run up", NUM(pid) FLAG(resumed))
EVENT(engine_stopped, "the engine ended in good order", TEXT(why))
EVENT(run_ended, "the run is over: outcome is done, returned or stopped", TEXT(outcome) TEXT(sentence))
EVENT(run_paused, "no further step may begin until it continues", TEXT(user))
EVENT(run_continued, "steps may begin again", TEXT(user))
EVENT(journal_failed, "the journal can't be written: watching goes on, every step is closed", TEXT(sentence))
EVENT(journal_recovered, "the journal can be written again", TEXT(sentence))

EVENT(screen_joined, "somebody attached a screen; role is operator or observer", NUM(id) TEXT(user) TEXT(tty) TEXT(role))
EVENT(screen_left, "a screen went away", NUM(id) TEXT(user))
EVENT(note_said, "a person wrote a note", TEXT(user) TEXT(text))
EVENT(order_refused, "an order was not carried out", TEXT(user) TEXT(order) TEXT(step) TEXT(why))

EVENT(step_began, "intent, on disk before the action fires; mode is run, undo or probe",
      TEXT(step) TEXT(mode) NUM(attempt) TEXT(action) TEXT(gate) TEXT(user) TEXT(typed))
EVENT(step_said, "what a step reports while it runs; level is info, ok, warn or bad", TEXT(step) TEXT(level) TEXT(text))
EVENT(step_progressed, "how far a step is; unit is rows, tables, bytes, ms, resolvers ...",
      TEXT(step) NUM(done) NUM(total) TEXT(unit))
EVENT(step_ended, "result is done, failed, undone, aborted or unknown",
      TEXT(step) TEXT(mode) TEXT(result) TEXT(sentence) NUM(took))
EVENT(step_found, "after a crash, what the world shows of a step that began and never ended: before, after, partial, unreachable",
      TEXT(step) TEXT(world) TEXT(sentence))
EVENT(step_decided, "a person decided what an unknown or failed step counts as: done, ready or failed",
      TEXT(step) TEXT(decision) TEXT(user) TEXT(reason))
EVENT(step_skipped, "a person left a step out", TEXT(step) TEXT(user) TEXT(reason))
EVENT(abort_asked, "a person asked the running step to stop", TEXT(step) TEXT(user))

EVENT(db_seen, "one side of a database, looked at; writable is yes, no or unknown (as an application role would find it);"
      " oldest_tx is the age of the oldest open transaction, oldest whose it is, oldest_state what its session does (active, idle in transaction)",
      TEXT(db) TEXT(side) FLAG(reachable) TEXT(version) TEXT(writable) NUM(clients) NUM(open_tx) NUM(oldest_tx) TEXT(oldest) TEXT(oldest_state) NUM(prepared) TEXT(error))
EVENT(writer_seen, "a session of a client on the side where nobody may write: how is writes (it holds a transaction id) or role"
      " (nobody is seen to write, but this role may, by a setting of its own)",
      TEXT(db) TEXT(side) NUM(pid) TEXT(role) TEXT(application) TEXT(address) TEXT(how))
EVENT(lag_seen, "replication of one database: bytes not yet confirmed by green, age of the newest heartbeat on green, WAL that the slot pins;"
      " direction is forward or back: then blue and green change places (missing = forward); status: the slot's wal_status; left: bytes of WAL until the"
      " server gives the slot up, -1 when it never does; of the side that follows: errors of its workers, conflicts that lost a row (18), workers begun anew",
      TEXT(db) TEXT(direction) NUM(bytes) NUM(lag) NUM(retained) FLAG(active) TEXT(slot) TEXT(sent_lsn) TEXT(flushed_lsn) TEXT(status) NUM(left)
      NUM(errors) NUM(conflicts) NUM(restarts) TEXT(error))
EVENT(copy_seen, "the first copy of one table: state is init, copying, synced or ready; rows of about total, bytes carried and the table's size on blue",
      TEXT(db) TEXT(table) TEXT(state) NUM(rows) NUM(total) NUM(bytes) NUM(size))
EVENT(schema_seen, "blue's definitions compared with those at the beginning of replication; drift: how many objects changed that green does not have so;"
      " object and change (new, altered, dropped) name the first; base stands for the beginning",
      TEXT(db) TEXT(base) NUM(objects) NUM(drift) TEXT(object) TEXT(change))
EVENT(audit_found, "the audit names one thing; level is blocker, warning or note",
      TEXT(db) TEXT(level) TEXT(object) TEXT(text))
EVENT(audited, "an audit of one database ended", TEXT(db) NUM(blockers) NUM(warnings) NUM(notes) NUM(tables))
EVENT(verify_seen, "how far the comparison of one database is: rows of about total, tables of all, what differs so far",
      TEXT(db) TEXT(table) NUM(rows) NUM(total) NUM(tables) NUM(all) NUM(differences))
EVENT(difference_found, "a row that is not the same on both sides though everything has arrived; key names it",
      TEXT(db) TEXT(table) TEXT(key) TEXT(text))
EVENT(verified, "a comparison of one database ended; busy: rows that changed at each look; sample: ppm of the rows that were compared",
      TEXT(db) NUM(tables) NUM(rows) NUM(differences) NUM(busy) NUM(sample))
EVENT(sequences_seen, "sequences of one database: how many, how many of green are behind blue", TEXT(db) NUM(count) NUM(behind))
EVENT(pause_probed, "what a switch would wait for, measured while writes flow; -1 = not known. marker: from the heartbeat's commit on blue until green showed it;"
      " blue, green: one commit that waits for its flush; reading: all of blue's sequences, read once",
      TEXT(db) NUM(marker_us) NUM(blue_us) NUM(green_us) NUM(sequences) NUM(reading_us))
EVENT(pooler_seen, "a pooler, looked at; target is blue, green or other",
      TEXT(db) TEXT(pooler) FLAG(reachable) FLAG(paused) TEXT(target) NUM(active) NUM(waiting) NUM(longest_wait) TEXT(error))

EVENT(writes_paused, "from here on no client write succeeds", TEXT(db))
EVENT(writes_resumed, "client writes succeed again, on this side", TEXT(db) TEXT(side) NUM(pause_us))
EVENT(switch_phase, "one phase of the switch ended: fence, drain, marker, sequences, verify, promote, repoint, unfence",
      TEXT(phase) NUM(took_us) TEXT(text))
EVENT(switch_committing, "intent: from the next act on there is only forward", TEXT(marker))
EVENT(switch_committed, "writes are on green", NUM(pause_us) TEXT(text))
EVENT(switch_returned, "everything is back on blue; by is engine or watchdog", TEXT(by) NUM(pause_us) TEXT(why))

EVENT(pause_seen, "what a client of this pooler saw of a switch: the longest time without an answer, its slowest request; error is the first one",
      TEXT(pooler) NUM(pause_us) NUM(slowest_us) NUM(answers) NUM(errors) TEXT(error))
EVENT(switch_rehearsed, "a dry pause ended, everything is on blue as before; proven: it came as far as the commit point",
      FLAG(proven) NUM(pause_us) TEXT(text))

EVENT(dns_seen, "one resolver's answer for one record; status is ok, nxdomain, nodata, servfail, refused, timeout, unreachable, bad",
      TEXT(resolver) TEXT(record) TEXT(type) TEXT(status) TEXT(answer) NUM(ttl) NUM(rtt_us) TEXT(error))
EVENT(dns_changed, "the authoritative server took an update", TEXT(record) TEXT(type) TEXT(from) TEXT(to) NUM(ttl))

EVENT(http_seen, "a second of probes to one side, summed", TEXT(side) TEXT(probe) NUM(ok) NUM(failed) LATENCY(latency) TEXT(error))
EVENT(haproxy_seen, "the balancer's counters of one side since the last look; failed = selections minus good answers",
      TEXT(side) NUM(weight) TEXT(status) NUM(requests) NUM(failed) NUM(sessions))
EVENT(prometheus_seen, "error share of one side as Prometheus tells it; ppm -1 when it has no data", TEXT(side) NUM(ppm) TEXT(error))
EVENT(weights_set, "the balancer took new weights", NUM(blue) NUM(green))

EVENT(check_began, "a checklist item is being proven", TEXT(check))
EVENT(check_ended, "evidence: verdict is pass, fail or unknown; by is machine or the person's name",
      TEXT(check) TEXT(verdict) TEXT(sentence) TEXT(evidence) TEXT(by) NUM(expires) NUM(took))

EVENT(source_failed, "a source can't look", TEXT(source) TEXT(sentence))
EVENT(source_back, "a source looks again", TEXT(source))
EVENT(cost_seen, "what the engine itself costs", NUM(cpu_ppm) NUM(rss))
