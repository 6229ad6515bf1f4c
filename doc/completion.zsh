#compdef cutover
# zsh completion of cutover(1); install it as share/zsh/site-functions/_cutover.

_cutover_dir() {
    local i=${words[(I)--state]}
    if ((i && i < $#words)); then print -r -- ${~words[i + 1]}
    elif [[ -n $CUTOVER_STATE ]]; then print -r -- $CUTOVER_STATE
    else print -r -- ${XDG_STATE_HOME:-$HOME/.local/state}/cutover
    fi
}

_cutover_names() { # the runs that have a file with this ending
    local -a names
    names=($(_cutover_dir)/*.$1(N:t:r))
    ((${#names})) && compadd -a names
}
_cutover_running() { _cutover_names sock; _files -g '*.cfg' }
_cutover_known() { _cutover_names jsonl; _files -g '*.cfg' }
_cutover_journals() {
    local -a found
    found=($(_cutover_dir)/*.jsonl(N))
    ((${#found})) && compadd -f -a found
    _files -g '*.jsonl'
}
_cutover_themes() {
    local -a names
    names=(dark themes/*.cfg(N:t:r) ${CUTOVER_THEMES:-themes}/*.cfg(N:t:r) ${XDG_CONFIG_HOME:-$HOME/.config}/cutover/themes/*.cfg(N:t:r) /usr{/local,}/share/cutover/themes/*.cfg(N:t:r))
    compadd -U -a names
}

_cutover_first() {
    local -a commands
    commands=(
        'attach:a further screen for a running cutover'
        'run:the engine without a screen'
        'check:look at everything once, go or no-go'
        'status:the state of a run as JSON'
        'report:the Markdown record of a run'
        'replay:play a journal, or print one frame of it'
        'spf:may an address send mail for a domain?'
        'dns:a snapshot of the records, or what changed between two'
        'plan:a complete, commented plan'
        'help:keys, steps, checks, metrics, events'
    )
    _describe -t commands command commands
    _files -g '*.cfg'
}

_cutover() {
    local state='--state[where journals and sockets live]:directory:_files -/'
    local -a screen=(
        '--theme[colours]:theme:_cutover_themes'
        '--ascii[no characters beyond ASCII]'
        '--read-only[a screen that only watches]'
    )
    if ((CURRENT == 2)) || [[ ${words[2]} == -* ]]; then
        _arguments $state $screen '--version[print the version]' '(-h --help)'{-h,--help}'[print the usage]' '1: :_cutover_first' '*:: :->rest'
        return
    fi
    case ${words[2]} in
    attach) _arguments $state $screen '1:' '2:run or plan:_cutover_running' ;;
    run) _arguments $state '--yes[confirm every step]' '1:' '2:plan:_files -g "*.cfg"' ;;
    check) _arguments $state '1:' '2:plan:_files -g "*.cfg"' ;;
    status) _arguments $state '1:' '2:run or plan:_cutover_known' ;;
    report) _arguments '1:' '2:journal:_cutover_journals' ;;
    replay)
        _arguments '--at[print the frame of this instant]:time (HH\:MM\:SS, end, #SEQ):(end)' '--screen[columns and rows]:size:(80x24 120x40 200x60)' \
            '(--svg)--ansi[in colour]' '(--ansi)--svg[as a picture]' '--theme[colours]:theme:_cutover_themes' \
            '--ascii[no characters beyond ASCII]' '1:' '2:journal:_cutover_journals'
        ;;
    spf)
        _arguments '--helo[what the machine says in HELO]:name:_hosts' '--sender[the address of MAIL FROM]:address:' \
            '--server[the DNS server that is asked]:address:' '1:' '2:address that sends:' '3:domain:_hosts'
        ;;
    dns)
        if ((CURRENT == 3)); then _arguments '1:' '2:what:(snapshot diff)'
        elif [[ ${words[3]} == snapshot ]]; then _arguments '1:' '2:' '3:plan:_files -g "*.cfg"'
        else _arguments '1:' '2:' '3:old snapshot:_files' '4:new snapshot:_files'
        fi
        ;;
    plan) _arguments '--example[print a complete plan]' '1:' ;;
    help) _arguments '1:' '2:topic:(keys steps checks metrics events)' ;;
    *) _arguments $state $screen ;;
    esac
}

if [[ $funcstack[1] == _cutover ]]; then _cutover "$@"; else compdef _cutover cutover; fi
