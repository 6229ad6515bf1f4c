# bash completion of cutover(1). It needs nothing but bash; install it as share/bash-completion/completions/cutover.

# Where journals live: --state of this line, else as the program itself decides.
_cutover_state() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --state ]] && { printf '%s\n' "${COMP_WORDS[i + 1]/#\~/$HOME}"; return; }
    done
    if [[ -n ${CUTOVER_STATE:-} ]]; then
        printf '%s\n' "$CUTOVER_STATE"
    elif [[ -n ${XDG_STATE_HOME:-} ]]; then
        printf '%s\n' "$XDG_STATE_HOME/cutover"
    else
        printf '%s\n' "$HOME/.local/state/cutover"
    fi
}

# Files with this ending, and directories to go on in.
_cutover_files() {
    local f
    while IFS= read -r f; do
        if [[ -d $f ]]; then COMPREPLY+=("$f/"); elif [[ $f == *."$1" ]]; then COMPREPLY+=("$f"); fi
    done < <(compgen -f -- "$cur")
    compopt -o nospace 2>/dev/null
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} != */ ]] && compopt +o nospace 2>/dev/null
}

# The names of runs ($1 = sock: those whose engine has a socket), and journals by their path.
_cutover_runs() {
    local dir f
    dir=$(_cutover_state)
    for f in "$dir"/*."$1"; do
        [[ -e $f ]] || continue
        f=${f##*/}
        [[ ${f%."$1"} == "$cur"* ]] && COMPREPLY+=("${f%."$1"}")
    done
}
_cutover_journals() {
    local dir f
    dir=$(_cutover_state)
    _cutover_files jsonl
    for f in "$dir"/*.jsonl; do
        [[ -e $f && ($f == "$cur"* || ${f##*/} == "$cur"*) && " ${COMPREPLY[*]} " != *" $f "* ]] && COMPREPLY+=("$f")
    done
}

_cutover_themes() {
    local dir f names=dark
    for dir in themes "${CUTOVER_THEMES:-themes}" "${XDG_CONFIG_HOME:-$HOME/.config}/cutover/themes" {/usr/local,/usr}/share/cutover/themes; do
        for f in "$dir"/*.cfg; do
            [[ -e $f ]] && f=${f##*/} && names+=" ${f%.cfg}"
        done
    done
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur" | sort -u)
}

_cutover() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i
    local commands="attach run check status report replay spf dns plan help"
    COMPREPLY=()
    case $prev in
    --state) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    --theme) _cutover_themes; return ;;
    --screen) mapfile -t COMPREPLY < <(compgen -W "80x24 120x40 200x60" -- "$cur"); return ;;
    --helo | --sender | --server) return ;;
    --at) mapfile -t COMPREPLY < <(compgen -W "end" -- "$cur"); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --state | --theme | --screen | --at | --helo | --sender | --server) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    if [[ $cur == -* ]]; then
        local options
        case $command in
        '') options="--state --theme --ascii --read-only --version --help" ;;
        attach) options="--state --theme --ascii --read-only" ;;
        run) options="--state --yes" ;;
        check | status) options="--state" ;;
        replay) options="--at --screen --ansi --svg --theme --ascii" ;;
        spf) options="--helo --sender --server" ;;
        plan) options="--example" ;;
        report | dns | help) options="" ;;
        *) options="--state --theme --ascii --read-only" ;; # a plan stands there
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    case $command in
    '')
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
        _cutover_files cfg
        [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} != */ ]] && compopt +o nospace 2>/dev/null
        ;;
    run | check) _cutover_files cfg ;;
    attach) _cutover_runs sock; _cutover_files cfg ;;
    status) _cutover_runs jsonl; _cutover_files cfg ;;
    report | replay) _cutover_journals ;;
    dns)
        case ${COMP_WORDS[i + 1]} in
        snapshot) if ((COMP_CWORD > i + 1)); then _cutover_files cfg; else COMPREPLY=(snapshot); fi ;;
        diff) if ((COMP_CWORD > i + 1)); then mapfile -t COMPREPLY < <(compgen -f -- "$cur"); else COMPREPLY=(diff); fi ;;
        *) ((COMP_CWORD > i + 1)) || mapfile -t COMPREPLY < <(compgen -W "snapshot diff" -- "$cur") ;;
        esac
        ;;
    help) mapfile -t COMPREPLY < <(compgen -W "keys steps checks metrics events" -- "$cur") ;;
    esac
    return 0
}
complete -F _cutover cutover
