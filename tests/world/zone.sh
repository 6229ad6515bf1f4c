# shellcheck shell=bash
# A real Knot with zones of a test's own on loopback, and TAP. Sourced by spf.test and snapshot.test.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
: "${B:=build/cc}"
cutover=${CUTOVER:-$(realpath "$B/cutover")}
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
knot=""
tidy() {
    stop_knot
    rm -rf "$work"
}
trap tidy EXIT
n=0 failures=0
ok() { # WHAT COMMAND...
    local what=$1
    shift
    n=$((n + 1))
    if "$@"; then
        echo "ok $n - $what"
    else
        sed 's/^/# /' "$work/said" "$work/erred" | cat -v
        echo "not ok $n - $what"
        failures=$((failures + 1))
    fi
}
says() { grep -qE -- "$1" "$work/said"; }
errs() { grep -qE -- "$1" "$work/erred"; }
status_is() { [[ $code == "$1" ]] || { echo "# status $code"; return 1; }; }
run() { # ARGUMENTS...: what it says goes to said, what it complains about to erred
    timeout 60 "$cutover" "$@" >"$work/said" 2>"$work/erred" </dev/null
    code=$?
}
# Nothing that a terminal would obey: no control character but the newline.
is_harmless() { ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$work/said" "$work/erred"; }
one_sentence() { [[ $(wc -l <"$work/erred") == 1 ]]; }

# Below the ports that the system gives to outgoing connections.
free_port() {
    local p
    until p=$((10000 + RANDOM % 10000)) && ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do :; done
    echo "$p"
}
for tool in knotd kdig; do
    command -v $tool >/dev/null || { echo "ok 1 - a real Knot # SKIP $tool is not installed"; echo "1..1"; exit 0; }
done
port=$(free_port)

knot_conf() { # ZONE...: each with a file ZONE.zone in $work
    local z
    printf 'server:\n  rundir: %s\n  listen: 127.0.0.1@%s\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n' "$work" "$port"
    printf 'database:\n  storage: %s\nzone:\n' "$work"
    for z in "$@"; do
        printf '  - domain: %s\n    storage: %s\n    file: %s.zone\n    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\n' "$z" "$work" "$z"
    done
}
serves() { [[ $(kdig @127.0.0.1 -p "$port" +short +timeout=1 +retry=0 "$1" SOA 2>/dev/null) == *" "* ]]; }
start_knot() { # ZONE...
    local end=$((SECONDS + 20)) z
    knot_conf "$@" >"$work/knot.conf"
    knotd -c "$work/knot.conf" >>"$work/knot.log" 2>&1 &
    knot=$!
    for z in "$@"; do
        until serves "$z"; do
            ((SECONDS < end)) || { sed 's/^/# /' "$work/knot.log"; echo "not ok 1 - Knot serves $z"; echo "1..1"; exit 1; }
            sleep 0.05
        done
    done
}
stop_knot() {
    [[ -n $knot ]] || return 0
    kill -KILL "$knot"
    wait "$knot" 2>/dev/null
    knot=""
}
finish() {
    echo "1..$n"
    exit $((failures > 0))
}
