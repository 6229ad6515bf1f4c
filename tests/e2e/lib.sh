# shellcheck shell=bash
# For the end-to-end tests: TAP, waiting with a deadline, a private tmux, and what stands in a run's journal.
# A test sources this file, calls `begin NAME`, and ends with `finish`. Whatever happens in between, everything that the
# test started is ended: each process of it carries CUTOVER_E2E in its first environment.

e2e_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
e2e_root=$(cd "$e2e_here/../.." && pwd)
cd "$e2e_root" || exit 1
: "${B:=build/cc}"
B=$(realpath -m "$B")
: "${CUTOVER:=$B/cutover}" "${LAB_BIN:=$B/lab}"
export B CUTOVER LAB_BIN LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
unset TMUX TMUX_PANE NO_COLOR CUTOVER_STATE CUTOVER_DIE_AT CUTOVER_FRAMES CUTOVER_THEME XDG_STATE_HOME

tests=0 failures=0 name=test work="" pane=""

# ---- TAP ------------------------------------------------------------------------------------------------------------

note() { printf '%s\n' "$*" | sed 's/^/# /'; }

# check NAME COMMAND...: passes when the command does. What it prints is shown when it fails.
check() {
    local what=$1 said
    shift
    tests=$((tests + 1))
    if said=$("$@" 2>&1); then
        echo "ok $tests - $what"
        return 0
    fi
    failures=$((failures + 1))
    [[ -z $said ]] || note "$said" | tail -n 30
    show_trouble
    echo "not ok $tests - $what"
    return 1
}
# The same for what the rest of the test stands on.
must() { check "$@" || finish; }
skip() { # NAME WHY
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}
is_sanitized() { grep -qa __asan_init "$CUTOVER"; }
none_of_ours() { [[ -z $(ours "$CUTOVER") ]]; }
nothing_reported() {
    local f bad=0
    for f in "$work"/san.cutover.*; do
        [[ ! -f $f ]] || { head -n 40 "$f"; bad=1; }
    done
    return $bad
}
finish() {
    local pid
    pane=""
    for pid in $(ours "$CUTOVER"); do kill -TERM "$pid" 2>/dev/null; done
    await 20 none_of_ours
    ! is_sanitized || check "the sanitizers have nothing to say about engines, screens and watchdogs" nothing_reported
    echo "1..$tests"
    exit $((failures > 0))
}
show_trouble() { # the screen, and what the run's steps did last, when that is new
    local now
    now=$(
        [[ -z $pane ]] || { echo "the screen of $pane:"; screen | grep -v '^ *$' | sed 's/^/  /'; }
        echo "the last of the run's journal:"
        grep -vE '"event":"(dns|http|haproxy|prometheus|db|lag|copy|sequences|pooler|cost)_seen"' "$(journal)" 2>/dev/null | tail -n 6 | cut -c 1-220 | sed 's/^/  /'
    )
    [[ $now == "$trouble_shown" ]] || note "$now"
    trouble_shown=$now
}
trouble_shown=""

# ---- waiting --------------------------------------------------------------------------------------------------------

now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((t / 1000))"
}
# A moment is a read from a pipe that nobody writes to: it takes its time and needs no process.
exec {quiet}<> <(:)
moment() { read -r -t "$1" -u "$quiet" || true; }

# await SECONDS COMMAND...: repeats the command until it succeeds or the time is over.
await() {
    local end
    end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(now_ms) < end)) || return 1
        moment 0.05
    done
}
not() { ! "$@"; }

# ---- a terminal -----------------------------------------------------------------------------------------------------

tm() { tmux -L terminal -f "$work/tmux.conf" "$@"; }

# open_pane NAME WIDTH HEIGHT: a terminal with a plain shell in it; it becomes the one that the functions below mean.
open_pane() {
    pane=$1
    printf '%s\n' 'set -g status off' 'set -g default-terminal tmux-256color' 'set -s escape-time 0' \
        'set -g remain-on-exit on' >"$work/tmux.conf"
    tm new-session -d -s "$pane" -x "$2" -y "$3" "exec env PS1='\$ ' PROMPT_COMMAND= bash --norc --noprofile -i"
    await 10 shows '^\$'
}
screen() { tm capture-pane -p -t "$pane"; }
sees() { screen | grep -qF -- "$1"; }     # this text stands there
shows() { screen | grep -qE -- "$1"; }    # a line of this kind stands there
wait_for() { await "${2:-10}" shows "$1"; }
wait_gone() { await "${2:-10}" not shows "$1"; }
resize() { tm resize-window -t "$pane" -x "$1" -y "$2"; }

# A command for the shell in the pane.
shell() { tm send-keys -t "$pane" -l "$*" && tm send-keys -t "$pane" Enter; }
start() { shell "$*"; }

# A hand at the keyboard: 85 to 150 ms from key to key, never even. (Under 80 ms a key is taken for auto-repeat.)
hand() { moment "0.$(printf '%03d' $((RANDOM % 66 + 85)))"; }
keys() {
    local key
    for key in "$@"; do
        hand
        tm send-keys -t "$pane" "$key"
    done
}
type_text() {
    local i text=$1
    for ((i = 0; i < ${#text}; i++)); do
        hand
        tm send-keys -t "$pane" -l -- "${text:i:1}"
    done
}
paste_text() { # TEXT [-p]: what another program put into the clipboard, all at once; -p: marked as pasted
    tm set-buffer -- "$1"
    tm paste-buffer -r -t "$pane" "${@:2}"
}

pane_pid() { tm display -p -t "$pane" '#{pane_pid}'; }
pane_modes() { tm display -p -t "$pane" '#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_cursor_flag}'; }
pane_line() { stty -g -F "$(tm display -p -t "$pane" '#{pane_tty}')"; }
# The terminal is as a shell wants it: it takes a command, and the modes are those of before ($1 modes, $2 line).
is_clean_now() { [[ $(pane_modes) == "$1" && $(pane_line) == "$2" ]]; }
gives_back() {
    await 10 is_clean_now "$1" "$2" || { echo "modes $(pane_modes), before $1; line $(pane_line), before $2"; return 1; }
    shell "echo cl''ean-\$((40+2))"
    wait_for '^clean-42$' 5
}

# ---- the program ----------------------------------------------------------------------------------------------------

state=""
journal() { # the journal of the run: the newest one that is not put aside
    local j
    j=$(ls -t "$state"/*.jsonl 2>/dev/null | grep -vE -- '-[0-9]{8}T[0-9]{6}Z\.jsonl$' | head -n 1)
    [[ -n $j ]] && printf '%s' "$j"
}
journal_has() { grep -qE -- "$1" "$(journal)"; }
journal_count() { grep -cE -- "$1" "$(journal)"; }
# journal_at PATTERN: the time of the first line of this kind, in ms
journal_at() { grep -m 1 -E -- "$1" "$(journal)" | sed -E 's/^\{"seq":[0-9]+,"at":([0-9]+).*/\1/'; }
step_ended() { journal_has "\"event\":\"step_ended\",\"step\":\"$1\",\"mode\":\"${3:-run}\",\"result\":\"${2:-done}\""; }
times_begun() { journal_count "\"event\":\"step_began\",\"step\":\"$1\",\"mode\":\"${2:-run}\""; }
run_ended() { journal_has "\"event\":\"run_ended\",\"outcome\":\"${1:-}"; }

status() { "$CUTOVER" status --state "$state"; }
json() { "$B/e2e/json" "$@"; }
status_of() { status | json "$1"; }                   # e.g. outcome, engine_alive
# of_step STEP MEMBER: what status says of it
of_step() {
    local all n
    all=$(status 2>/dev/null)
    n=$(json 'steps.*.key' <<<"$all" | grep -nxF -- "$1" | cut -d: -f1)
    [[ -n $n ]] && json "steps.$((n - 1)).$2" <<<"$all"
}
step_state() { of_step "$1" state; }
gate_of() { of_step "$1" gate; }
socket() { ls "$state"/*.sock; }
order() { "$B/e2e/order" "$(socket)" "$@"; }

# ---- processes ------------------------------------------------------------------------------------------------------

# Those of this test whose program is $1 (a path), one number a line.
ours() {
    local f pid
    for f in $(grep -lzxF "CUTOVER_E2E=$work" /proc/[0-9]*/environ 2>/dev/null || true); do
        pid=${f#/proc/}
        pid=${pid%/environ}
        [[ $(readlink "/proc/$pid/exe" 2>/dev/null) != "$1" && -n $1 ]] || echo "$pid"
    done
}
command_of() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null; }
engine_pid() { # the engine that has this test's journal
    local pid
    pid=$(grep -o '"event":"engine_started","pid":[0-9]*' "$(journal)" | tail -n 1 | grep -o '[0-9]*$')
    [[ -n $pid && $(readlink "/proc/$pid/exe" 2>/dev/null) == "$CUTOVER" ]] && printf '%s' "$pid"
}
engine_lives() { [[ -n $(engine_pid) ]]; }
engine_gone() { ! engine_lives; }
# The screen in the pane and its guardian: the guardian is the shell's child, the screen the guardian's.
guardian_pid() { pgrep -P "$(pane_pid)" -x cutover | head -n 1; }
screen_pid() { pgrep -P "$(guardian_pid)" -x cutover | head -n 1; }

stop_engine() { # in good order
    local pid
    pid=$(engine_pid) || return 0
    kill -TERM "$pid"
    await 20 engine_gone
}

# ---- begin and end --------------------------------------------------------------------------------------------------

begin() {
    name=$1
    [[ -x $CUTOVER ]] || { echo "not ok 1 - $CUTOVER is built"; echo "1..1"; exit 1; }
    CUTOVER=$(realpath "$CUTOVER")
    work=$(mktemp -d /tmp/cutover-e2e.XXXXXX)
    state=$work/state
    export CUTOVER_E2E=$work TMUX_TMPDIR=$work
    # Reports of the sanitizers into files by the program's name: a screen's would be lost on its terminal.
    export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}:log_path=$work/san:log_exe_name=1"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}:log_path=$work/san:log_exe_name=1"
    mkdir -p "$B/log"
    trap tidy EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
none_left() { [[ -z $(ours "") ]]; }
tidy() {
    local status=$? pid j
    trap '' INT TERM HUP
    trap - EXIT
    for j in "$work"/*/*.jsonl; do # the journals of all runs are kept
        [[ ! -f $j ]] || cp "$j" "$B/log/$name-$(basename "$(dirname "$j")").jsonl"
    done
    tm kill-server 2>/dev/null
    [[ -z ${DIR:-} ]] || lab_down
    for pid in $(ours ""); do kill -TERM "$pid" 2>/dev/null; done
    await 3 none_left
    for pid in $(ours ""); do kill -KILL "$pid" 2>/dev/null; done
    rm -rf "$work"
    exit "$status"
}
