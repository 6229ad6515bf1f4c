# shellcheck shell=bash
# For the end-to-end tests that type into the cockpit: arming, opening a step's confirmation, confirming as a hand does.
# Sourced after lib.sh.

armed_again=0 # how often the keys had locked themselves

is_cockpit() { shows '[─-] 5 steps' && shows '[─-] 6 log'; }
cockpit() { # ARGUMENTS OF cutover...
    shell "clear; '$CUTOVER' $*; echo status-\$?-"
    await 20 is_cockpit
}
left_with() { wait_for "^status-$1-" "${2:-10}"; }

# arm: with at least five seconds left. Keys that are about to lock are waited for and armed anew.
arm() {
    local left
    left=$(screen | grep -oE 'ARMED +[0-9]+:[0-9]{2}' | head -n 1 | sed 's/.*ARMED *//; s/.*://')
    if shows 'ARMED +1:00' || [[ -n $left && 10#$left -ge 5 ]]; then return 0; fi
    wait_gone 'ARMED' 8
    keys '!'
    wait_for 'ARMED +[01]:[0-9]{2}' 5 && armed_again=$((armed_again + 1))
}

pattern_of() { printf '%s' "${1//./\\.}"; }
confirmation_of() { printf 'confirm +[^ ]* +step +[0-9]+ of [0-9]+ +%s ' "$(pattern_of "$1")"; }

# open_step STEP KEY...: its confirmation stands there afterwards.
open_step() {
    local step=$1 try
    shift
    for try in 1 2 3; do
        arm || return 1
        keys "$@"
        wait_for "$(confirmation_of "$step")" 3 && return 0
        echo "try $try: $* did not open the confirmation of $step"
        keys Escape
        moment 0.3
    done
    return 1
}

# confirm STEP: waits until the box takes keys, then types what it asks for, by hand, until the engine has begun the step.
confirm() {
    local step=$1 before try
    before=$(times_begun "$step")
    has_begun() { (($(times_begun "$step") > before)); }
    for try in 1 2 3; do
        wait_for 'type the word|press the key' 10 || return 1
        if shows 'type the word'; then
            type_text "$step"
            await 3 sees "> ${step}_" || { echo "try $try: the word did not arrive"; keys C-u; continue; }
            keys Enter
        else
            keys y
        fi
        await 5 has_begun && return 0
        echo "try $try: the engine did not begin $step"
        shows "$(confirmation_of "$step")" || return 1
    done
    return 1
}

# The gate of the step is open, as the engine's journal tells it and as the screen says it.
is_go() { [[ $(gate_of "$1") == GO ]] && shows '^ +GO '; }
# One step as a person runs it: STEP SECONDS KEY... A box that its gate has closed is opened again, as a person would.
boxes_closed=0
run_by_keys() {
    local step=$1 seconds=$2 try begun=""
    shift 2
    for try in 1 2 3; do
        await 60 is_go "$step" || { echo "the gate of $step did not open"; return 1; }
        open_step "$step" "$@" && confirm "$step" && begun=yes && break
        boxes_closed=$((boxes_closed + 1))
    done
    [[ -n $begun ]] || { echo "$step could not be begun"; return 1; }
    await "$seconds" step_ended "$step" || { echo "$step did not end within $seconds s"; return 1; }
}
