#!/bin/bash
# The terminal is given back whatever happens to the screen: the demo cockpit is killed, stopped and resized under tmux,
# and the pane's modes and line settings are compared with what they were. TAP on stdout.
#
#   guardian.sh [path of screen_demo]
set -u
demo=$(realpath "${1:-${SCREEN_DEMO:-build/cc/bench/screen_demo}}")
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8
unset TMUX TMUX_PANE NO_COLOR
socket=cutover-guardian-$$
tm() { tmux -L "$socket" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null' EXIT
tests=0 failed=0

# Repeats a command until it succeeds, ten seconds at most.
until_true() {
    local end=$((SECONDS + 10))
    while ! "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.03
    done
}
check() {
    local name=$1
    shift
    tests=$((tests + 1))
    if until_true "$@"; then
        echo "ok $tests - $name"
    else
        failed=$((failed + 1))
        echo "not ok $tests - $name"
        tm capture-pane -p | grep -v '^$' | head -12 | sed 's/^/# /'
        tm display -p 'alternate #{alternate_on} cursor #{cursor_flag} size #{pane_width}x#{pane_height}' | sed 's/^/# /'
    fi
}
sees() { tm capture-pane -p | grep -qF -- "$1"; }
modes() { tm display -p '#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_cursor_flag}'; }
line() { stty -g -F "$(tm display -p '#{pane_tty}')"; }
is_screen() { sees "1 replication" && sees "6 log" && [ "$(modes | cut -c1-3)" = "1 0" ]; }
is_clean() { [ "$(modes)" = "0 1 0 0" ] && [ "$(line)" = "$before" ]; }
guardian() { pgrep -n -P "$(tm display -p '#{pane_pid}')" -f screen_demo; }
screen() { pgrep -P "$(guardian)"; }
type_line() { tm send-keys "$1" Enter; }
start() {
    type_line "clear; $demo run; echo status=\$?"
    until_true is_screen || echo "# the demo did not come up"
}

tm new-session -d -x 120 -y 40 "PS1='\$ ' bash --norc --noprofile -i"
tm set -g status off
type_line "echo rea''dy"
until_true sees ready
before=$(line)

start
check "the cockpit is shown" is_screen
kill -KILL "$(screen)"
check "kill -9 of the screen says what died" sees "ended by signal 9"
check "and has the signal as status" sees "status=137"
check "and gives the terminal back" is_clean

start
kill -TERM "$(guardian)"
check "TERM to the guardian ends both" sees "status=143"
check "TERM gives the terminal back" is_clean

start
tm send-keys s
check "a segmentation fault has its status" sees "status=139"
check "a segmentation fault gives the terminal back" is_clean

start
tm send-keys e
check "an exit status passes through" sees "status=3"
check "exit without closing gives the terminal back" is_clean

start
tm send-keys q
check "q ends in order" sees "status=0"
check "q gives the terminal back" is_clean

start
tm send-keys C-c
check "Ctrl-C is a signal that the screen handles" sees "status=0"
check "Ctrl-C gives the terminal back" is_clean

start
tm send-keys C-z
check "Ctrl-Z stops the job" sees "Stopped"
check "Ctrl-Z gives the terminal back" is_clean
type_line fg
check "fg shows the cockpit again" is_screen
kill -STOP "$(screen)"
check "a stop from elsewhere stops the job" sees "Stopped"
check "a stop from elsewhere gives the terminal back" is_clean
type_line fg
check "fg shows the cockpit again after that" is_screen

for size in 1x1 500x200 40x8 20x3 3x3 80x24 79x23 200x60 1x40 120x1 2x2 120x40; do
    tm resize-window -x "${size%x*}" -y "${size#*x}"
done
check "a storm of sizes is survived" is_screen
tm send-keys 6
check "and keys still work: zoom" eval '! sees "1 replication" && sees "6 log"'
tm send-keys 6
until_true is_screen
kill -KILL "$(guardian)"
check "a killed guardian takes the screen along" eval '! pgrep -P "$(tm display -p "#{pane_pid}")" -f screen_demo'
echo "1..$tests"
[ $failed -eq 0 ]
