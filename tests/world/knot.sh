# shellcheck shell=bash
# A Knot of the test's own on loopback, with the zones whose files lie in $work/knot/ZONE.zone. Sourced; needs $work and $B.

knot=
port=
knot_conf() {
    local f zone
    cat <<CONF
server:
    rundir: "$work/knot"
    listen: 127.0.0.1@$port
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "$work/knot"
log:
  - target: stderr
    any: warning
zone:
CONF
    for f in "$work"/knot/*.zone; do
        zone=${f##*/}
        printf '  - domain: %s\n    file: "%s"\n    storage: "%s/knot"\n' "${zone%.zone}" "$f" "$work"
    done
}
# knot_up NAME: it answers for NAME afterwards. A port that somebody holds is given up for the next one.
knot_up() {
    local i
    for ((port = 30000 + $$ % 20000; port < 60000; port += 7)); do
        knot_conf >"$work/knot/knot.conf"
        knotd -c "$work/knot/knot.conf" >"$work/knot.log" 2>&1 &
        knot=$!
        for ((i = 0; i < 100; i++)); do # until it answers or has ended, at most 10 s
            kill -0 "$knot" 2>/dev/null || break
            ! "$B/lab/ask" "127.0.0.1:$port" "$1" >/dev/null 2>&1 || return 0
            sleep 0.1
        done
        knot_down
        grep -q 'address already in use' "$work/knot.log" || return 1
    done
    return 1
}
knot_down() {
    [[ -z $knot ]] || { kill "$knot" && wait "$knot"; } 2>/dev/null
    knot=
}
