# shellcheck shell=bash
# For the end-to-end tests that run on a lab: up and down, its users, and what must be true when everything has moved.
# Sourced after lib.sh.

DIR=""

lab_up() { tests/lab/up "$DIR" >"$work/up.txt" 2>&1 || { cat "$work/up.txt"; return 1; }; }
# Its names become the test's: BLUE_DSN, EDGE_PORT ...; `plan` is the path of its plan.
lab_names() {
    set -a
    # shellcheck source=/dev/null
    . "$DIR/env"
    set +a
    plan=$DIR/plan.cfg
}
lab_down() {
    local dir=$DIR
    DIR=""
    tests/lab/users stop "$dir" >/dev/null 2>&1 || true
    cp "$dir/users.log" "$B/log/$name.users" 2>/dev/null || true
    tests/lab/down "$dir" >/dev/null 2>&1
}
# A lab of this test's own, and people in it: new_lab [WRITES AND READS PER SECOND]
new_lab() {
    DIR=$(mktemp -d /tmp/cutover-lab.XXXXXX)
    must "a lab is up" lab_up
    lab_names
    must "users write" tests/lab/users start "$DIR" -r "${1:-60}" -u 16
}

# short_plan: the lab's plan with shorter stages and hold, for tests that are about something else.
short_plan() {
    sed -i -E 's/^    bake = "[^"]*"/    bake = "1s"/; s/^hold = "[^"]*"/hold = "3s"/' "$DIR/plan.cfg"
}

sql() { # DSN QUERY
    "$LAB_GREEN_PG/psql" -qXAt -v ON_ERROR_STOP=1 "$1" -c "$2"
}
app_dsn() { # blue|green, past the pooler
    local port=$BLUE_PG_PORT
    [[ $1 == blue ]] || port=$GREEN_PG_PORT
    printf 'host=127.0.0.1 port=%s dbname=shop user=app passfile=%s connect_timeout=5' "$port" "$PGPASSFILE"
}
# Whether the side takes a write of the application; nothing of it stays.
takes_writes() { sql "$(app_dsn "$1")" "BEGIN; INSERT INTO items (user_no, n, side) VALUES (-9, 0, 'probe'); ROLLBACK"; }
pooler_takes_writes() { sql "$POOLER_APP_DSN" "BEGIN; INSERT INTO items (user_no, n, side) VALUES (-9, 0, 'probe'); ROLLBACK"; }
only_side_is() { # blue|green: it takes writes, the other one does not
    local other=green
    [[ $1 == blue ]] || other=blue
    takes_writes "$1" || { echo "$1 takes no writes"; return 1; }
    ! takes_writes "$other" 2>/dev/null || { echo "$other takes writes too"; return 1; }
}

# ---- what the users saw ---------------------------------------------------------------------------------------------

users_say() { tests/lab/users report "$DIR" "${@:2}" | sed -n "s/^$1=//p"; }
users_leave() { tests/lab/users stop "$DIR"; }
no_write_failed() {
    local failed unsure
    failed=$(users_say failed) unsure=$(users_say unsure)
    [[ $failed == 0 && $unsure == 0 ]] || { echo "failed=$failed unsure=$unsure"; grep -E '^(FAIL|UNSURE)' "$DIR/users.log" | head -n 5; return 1; }
}
nothing_lost_on() { # blue|green
    local lost
    lost=$(tests/lab/users lost "$DIR" "$1" | tr '\n' ' ')
    echo "$lost"
    [[ $lost =~ ^acked=[1-9][0-9]*\ missing=0\ twice=0\  ]]
}
exactly_once_on() { # nothing lost, and no row either that nobody was told about
    local lost
    lost=$(tests/lab/users lost "$DIR" "$1" | tr '\n' ' ')
    echo "$lost"
    [[ $lost =~ ^acked=[1-9][0-9]*\ missing=0\ twice=0\ unacknowledged=0\ $ ]]
}

# ---- when everything has moved --------------------------------------------------------------------------------------

# Of the switch itself: a dry pause before it has a fence as well.
switch_at() { sed -n '/"event":"step_began","step":"switch"/,$p' "$(journal)" | grep -m 1 -E -- "$1" | sed -E 's/^\{"seq":[0-9]+,"at":([0-9]+).*/\1/'; }
fence_at() { switch_at '"event":"switch_phase","phase":"fence"'; }
# Green's rows flow back: what blue holds of that time must be on green too.
blue_took_nothing() {
    local late n
    late="SELECT id, user_no, n FROM items WHERE user_no > 0 AND at > to_timestamp($(fence_at) / 1000.0) ORDER BY 1"
    n=$(comm -23 <(sql "$BLUE_DSN" "$late" | sort) <(sql "$GREEN_DSN" "$late" | sort) | wc -l)
    echo "$n rows of blue after the fence are not green's"
    [[ $n == 0 ]] && awk -v blue="$BLUE_PG_PORT" -v at="$(fence_at)" '$1 == "ACK" && $8 == blue && $2 - $6 > at { print; bad = 1 } END { exit bad }' "$DIR/users.log"
}
blue_refuses() { ! takes_writes blue 2>/dev/null; }
resolvers_are_on() { # ADDRESS
    local r host answer
    for r in $LAB_RESOLVERS; do
        for host in www api; do
            answer=$("$LAB_BIN/ask" "${r#*=}" "$host.$ZONE") || return 1
            [[ $answer == "$1 "* ]] || { echo "${r%%=*} says $answer for $host"; return 1; }
        done
    done
}
authority_says() { # ADDRESS TTL
    local host answer
    for host in www api; do
        answer=$("$LAB_BIN/ask" "127.0.0.1:$KNOT_PORT" "$host.$ZONE")
        [[ $answer == "$1 $2" ]] || { echo "$host: $answer, not $1 $2"; return 1; }
    done
}
# One new row in each table, as the application writes it through the pooler: its number must be beyond all others.
sequences_are_free() {
    local before after
    before=$(sql "$GREEN_DSN" "SELECT (SELECT max(id) FROM items), (SELECT max(id) FROM customers), (SELECT max(no) FROM orders)")
    after=$(sql "$POOLER_APP_DSN" "INSERT INTO items (user_no, n, side) VALUES (-1, 1, 'test') RETURNING id")
    after+="|"$(sql "$POOLER_APP_DSN" "INSERT INTO customers (name, mail, joined) VALUES ('New', 'new@shop.test', current_date) RETURNING id")
    after+="|"$(sql "$POOLER_APP_DSN" "INSERT INTO orders (customer, cents, note) VALUES (1, 100, 'new') RETURNING no")
    echo "largest before: $before; new rows: $after"
    awk -v a="$before" -v b="$after" 'BEGIN { n = split(a, x, "|"); m = split(b, y, "|"); for (i = 1; i <= 3; i++) if (!(y[i] > x[i] + 0)) exit 1; exit !(n == 3 && m == 3) }'
}
nothing_left_behind() {
    local blue green
    blue=$(sql "$BLUE_DSN" "SELECT (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_subscription) + (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover')")
    green=$(sql "$GREEN_DSN" "SELECT (SELECT count(*) FROM pg_subscription), (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_namespace WHERE nspname = 'cutover')")
    echo "blue: slots, publications, schema cutover = $blue; green: subscriptions, slots, publications, schema = $green"
    [[ $blue == "0|0|0" && $green == "0|0|0|0" ]]
}
write_pause() { # as the users saw it, ms
    users_say write_pause_ms "$(switch_at '"event":"writes_paused"')"
}
pause_is_below() { # MS
    local pause
    pause=$(write_pause)
    echo "write pause as the users saw it: $pause ms"
    ((pause > 0 && pause < $1))
}
chain_holds() { "$B/e2e/chain" "$(journal)"; }
is_private() { [[ $(stat -c %a "$(journal)") == 600 ]]; }

# All of it. The users must still be there when it begins.
all_has_moved() {
    moment 2 # the users go on for a while on green, so that there is something to find there
    check "the users leave" users_leave
    note "the write pause as the users saw it: $(write_pause) ms; as the engine measured it: $(status_of write_pause_us) us"
    note "$(tests/lab/users report "$DIR" | tr '\n' ' ')"
    check "no write of a user failed" no_write_failed
    check "every acknowledged write is on green exactly once" exactly_once_on green
    check "blue took none after the fence" blue_took_nothing
    check "blue is kept read-only, green takes the writes" only_side_is green
    check "writes paused for less than a second" pause_is_below 1000
    check "every resolver has flipped" resolvers_are_on "$EDGE_GREEN"
    check "the TTL is raised again" authority_says "$EDGE_GREEN" 20
    check "sequences on green do not collide" sequences_are_free
    check "cleanup left no slot, subscription, publication or schema" nothing_left_behind
    check "the journal is private" is_private
    check "and its chain holds" chain_holds
}
