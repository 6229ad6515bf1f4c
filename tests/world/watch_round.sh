# shellcheck shell=bash
# What the sources see of the pair, in the background, and what is awaited of it. For watch.test and guard.test.
PG_CONF=$'logging_collector = on\nlog_filename = log\nwal_retrieve_retry_interval = 500ms' # the words of an error stand in the log only; a worker begins anew soon
# shellcheck source=tests/world/switch_round.sh
. tests/world/switch_round.sh

watch_begin() { # SOURCE...
    : >"$DIR/seen"
    "$drive" "$DIR/plan.cfg" watch 300 "$@" >"$DIR/seen" 2>>"$DIR/err" &
    watch_pid=$!
    mark
}
watch_end() { kill "$watch_pid"; wait "$watch_pid" 2>/dev/null; }
# Only what was seen after the last mark counts.
mark() { from=$(wc -l <"$DIR/seen"); }
saw() { tail -n "+$((from + 1))" "$DIR/seen" | grep -qE -- "$1"; }
sees() { await ${PATIENCE:-30} saw "$1" || { echo "# seen: $(grep -E "\"$2" "$DIR/seen" | tail -n 2 | cut -c -400)"; return 1; }; }
lag() { sees "\"lag_seen\",\"db\":\"shop\",\"direction\":\"forward\",.*$1" lag_seen; }
gate_is() { sees "^gate: $1" ^gate; }
logs() { sees "^log: $1" ^log; }
never_saw() { ! saw "$1"; }
stop_pg() { # SIDE
    local pid=${1}_pid
    kill -INT "${!pid}"
    wait "${!pid}" 2>/dev/null
}
