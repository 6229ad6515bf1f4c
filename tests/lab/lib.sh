# shellcheck shell=bash
# Shared by the lab's scripts: where things are, processes that are found again, waiting with a deadline.
# Every process of a lab carries CUTOVER_LAB=DIR in its first environment: that is how `down` finds what no list names.

lab_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab_root=$(cd "$lab_here/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
export PATH LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((t / 1000))"
}

# Milliseconds as "1.8".
tenths() { printf '%d.%d' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }

# The start time of a process tells it from a later one with the same number. Empty when there is none.
start_of() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [[ $1 == Z ]] || printf '%s' "${20}"
}

# Is the process of the list still this one?
is_running() { [[ -n ${2:-} && $(start_of "$1") == "$2" ]]; }

# await SECONDS COMMAND...: polls until the command succeeds or the time is over.
await() {
    local end
    end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(now_ms) < end)) || return 1
        sleep 0.05
    done
}

# spawn NAME COMMAND...: starts a daemon in a session of its own, its output in DIR/log/NAME.log,
# and writes "name pid starttime" into DIR/pids at once.
spawn() {
    local name=$1 pid
    shift
    setsid "$@" </dev/null >>"$DIR/log/$name.log" 2>&1 8>&- 9>&- &
    pid=$!
    printf '%s %s %s\n' "$name" "$pid" "$(start_of "$pid")" >>"$DIR/pids"
}

# The processes whose first environment names this lab, one number a line.
marked() {
    local f
    for f in $(grep -lzxF "CUTOVER_LAB=$1" /proc/[0-9]*/environ 2>/dev/null || true); do
        f=${f#/proc/}
        f=${f%/environ}
        [[ -z $(start_of "$f") ]] || printf '%s\n' "$f"
    done
}

# The processes of the list that still run: "name pid" lines.
listed() {
    local name pid start
    [[ -f $1/pids ]] || return 0
    while read -r name pid start; do
        if is_running "$pid" "${start:-}"; then printf '%s %s\n' "$name" "$pid"; fi
    done <"$1/pids"
}

# http METHOD HOST PORT PATH: the whole answer, status line first. Plain bash, as curl may not be installed.
http() {
    local fd rc=0
    exec {fd}<>"/dev/tcp/$2/$3" || return 1
    printf '%s %s HTTP/1.0\r\nHost: www.shop.test\r\nContent-Length: 0\r\n\r\n' "$1" "$4" >&"$fd"
    timeout 5 cat <&"$fd" || rc=$?
    exec {fd}>&-
    return "$rc"
}
http_ok() { [[ $(http GET "$1" "$2" "$3" 2>/dev/null) =~ ^HTTP/1\.[01]\ 200 ]]; }

# The lab that a command without DIR means: the only one of this user.
only_lab() {
    local all
    mapfile -t all < <(labs)
    ((${#all[@]} == 1)) || {
        complain "There are ${#all[@]} labs of yours in /tmp; name the directory."
        return 1
    }
    printf '%s' "${all[0]}"
}
labs() {
    local d
    for d in /tmp/cutover-lab.*; do
        [[ -d $d && ! -L $d && -O $d ]] && printf '%s\n' "$d"
    done
    return 0
}
