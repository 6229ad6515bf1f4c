#!/usr/bin/env bash
# The pause of the switch as clients see it: 16 clients write single rows through PgBouncer, an insert or an update in turn, while writes move
# there and back again; beside it, in turns in the same run, the floor: a bare program that only pauses, marks, sets sequences and resumes.
# usage: tests/bench/switch.sh      SWITCHES=20 (there, and as many back)  PAIRS="13:18 15:15 17:18"  RATES="400 1500"
# Ends 1 when a request failed or a row was lost. About a quarter of an hour with 20; never more than an hour.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${B:=build/cc}" "${SWITCHES:=20}" "${PAIRS:=13:18 15:15 17:18}" "${RATES:=400 1500}"
CLIENTS=16 status=0
# shellcheck source=tests/world/switch_round.sh
. tests/world/switch_round.sh
trap 'exec 5>&-; pair_down' EXIT
SECONDS=0

load_begin() { # RATE
    touch "$DIR/load_errors"
    rm -f "$DIR/ask" "$DIR/tell" && mkfifo "$DIR/ask" "$DIR/tell"
    "$B/bench/switch_load" "host=127.0.0.1 port=$POOLER_PORT dbname=shop user=app" "$1" $CLIENTS "$DIR/load_acks" <"$DIR/ask" >"$DIR/tell" 2>>"$DIR/load_errors" &
    load_pid=$!
    exec 5>"$DIR/ask" 6<"$DIR/tell"
    warm=0
    report # from here on
}
has_written() { report && warm=$((${warm:-0} + acked)) && ((warm >= $1)); }
report() { echo >&5 && read -rt 30 gap slowest acked errors updates <&6; }
# All that was acknowledged is on SIDE, once; counts into lost and errors.
load_end() { # SIDE
    local found
    report
    exec 5>&-
    await 20 bash -c "! kill -0 $load_pid" || kill "$load_pid" # a request that is never answered
    wait "$load_pid"
    exec 6<&-
    sort "$DIR/load_acks" >"$DIR/acked"
    sql "$1" shop "SELECT n FROM items WHERE writer >= 0" | sort >"$DIR/found"
    lost=$(comm -23 "$DIR/acked" "$DIR/found" | wc -l)
    found=$(uniq -d "$DIR/found" | wc -l)
    ((found == 0)) || echo "# $found rows doubled"
    lost=$((lost + found))
}
# One line of figures: median and worst of a file of microseconds, in ms.
figures() { sort -n "$1" | awk '{ v[NR] = $1 / 1000 } END { if (NR) printf "%7.1f %7.1f", v[int((NR + 1) / 2)], v[NR]; else printf "      -       -" }'; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : 0 }'; }

note() { # WHAT: the report since the last one
    report
    echo "$gap" >>"$DIR/$1.gap"
    echo "$slowest" >>"$DIR/$1.slowest"
    total_errors=$((total_errors + errors))
}
keep_phases() {
    pause_of >>"$DIR/ours.own"
    sed -nE 's/.*"switch_phase","phase":"([a-z]+)","took_us":([0-9]+).*/\1 \2/p' "$DIR/out" >>"$DIR/phases"
}
# The median of each phase in the pause, in ms.
tell_phases() {
    local phase
    for phase in fence drain marker sequences verify commit promote repoint unfence; do
        sed -n "s/^$phase //p" "$DIR/phases" >"$DIR/phase"
        printf '  %s %.1f' "$phase" "$(awk "BEGIN { print $(median "$DIR/phase") / 1000 }")"
    done
    echo
}
ours() { # COUNT
    local i
    fresh >/dev/null 2>&1 && step run replicate && said '^done: ' || { tail -n 1 "$DIR/out"; return 1; }
    settled blue 20 || return 1 # PgBouncer remembers for seconds that a database was not there
    sql blue shop "TRUNCATE items" && load_begin "$rate"
    for ((i = 0; i < $1; i++)); do
        follows green && report && go && said '^done: Writes are on green' || { echo "# $(tail -n 1 "$DIR/out")"; return 1; }
        note ours
        keep_phases
        follows blue && report && go --undo && said '^done: Writes are on blue' || { echo "# $(tail -n 1 "$DIR/out")"; return 1; }
        note ours
        keep_phases
    done
    load_end blue
    total_lost=$((total_lost + lost))
    step run cleanup
}
floor() { # COUNT: there only; the test brings it back
    local i d
    pair_fresh >/dev/null 2>&1 && settled blue || return 1
    for ((i = 0; i < $1; i++)); do
        load_begin "$rate"
        await 10 has_written "$rate" # a second of it: the servers know the statements, as ours do by then
        sed -E "s/^(shop|Second-DB)( *= *host=127.0.0.1 port=)[0-9]+/\1\2$GREEN_PORT/" "$DIR/pgbouncer.blue" >"$DIR/pooler/next.ini"
        report
        "$B/bench/switch_floor" "host=127.0.0.1 port=$BLUE_PORT user=postgres" "host=127.0.0.1 port=$GREEN_PORT user=postgres" \
            "host=127.0.0.1 port=$POOLER_PORT user=postgres" "$DIR/pooler/pgbouncer.ini" "$DIR/pooler/next.ini" shop Second-DB >>"$DIR/floor.own" || return 1
        note floor
        load_end green
        total_lost=$((total_lost + lost))
        pair_back || return 1
    done
    for d in shop Second-DB; do
        sql green "$d" "DROP SUBSCRIPTION cutover_$(tr 'A-Z-' 'a-z_' <<<"$d")" >/dev/null 2>&1
        sql blue "$d" "DROP PUBLICATION cutover_pub" >/dev/null
    done
}
measure() { # PAIR RATE
    rate=$2 total_errors=0 total_lost=0
    rm -f "$DIR"/{ours,floor}.{gap,slowest,own} "$DIR/phases"
    local half=$(((SWITCHES + 1) / 2)) n
    for n in "$half" $((SWITCHES - half)); do
        ((n == 0)) || { ours "$n" && floor "$n"; } || { echo "$1 at $2 tx/s: it stopped; $(tail -n 1 "$DIR/err")"; status=1; return; }
    done
    printf '%-7s %5d tx/s  %3d  %s  %8.1f  %s  %6d %5d   %s  %5.2f\n' "$1" "$rate" "$(wc -l <"$DIR/ours.gap")" "$(figures "$DIR/ours.gap")" "$(sort -n "$DIR/ours.slowest" | tail -n 1 | awk '{ print $1 / 1000 }')" \
        "$(figures "$DIR/ours.own")" "$total_errors" "$total_lost" "$(figures "$DIR/floor.gap")" "$(awk "BEGIN { print $(median "$DIR/ours.gap") / $(median "$DIR/floor.gap") }")"
    tell_phases
    ((total_errors + total_lost == 0)) || status=1
}

printf '%-7s %10s  %3s  %15s  %8s  %15s  %6s %5s   %15s  %5s\n' "" "" n "clients' pause" slowest "engine's pause" "" "" "floor's pause" ""
printf '%-7s %10s  %3s  %7s %7s  %8s  %7s %7s  %6s %5s   %7s %7s  %5s\n' pair load "" median worst request median worst errors lost median worst ratio
for pair in $PAIRS; do
    BLUE_BIN=$(tests/pg-versions | awk -v v="${pair%:*}" '$1 == v { print $2 }') GREEN_BIN=$(tests/pg-versions | awk -v v="${pair#*:}" '$1 == v { print $2 }')
    [[ -n $BLUE_BIN && -n $GREEN_BIN ]] || { echo "$pair: skipped, a server of these versions is missing"; continue; }
    PG_CONF="wal_retrieve_retry_interval = 200ms" pids=()
    pair_up || { echo "$pair: the servers did not start"; exit 1; }
    for rate in $RATES; do
        measure "${pair/:/->}" "$rate"
        ((SECONDS < 3500)) || { echo "the hour is over"; exit 1; }
    done
    pair_down
done
exit $status
