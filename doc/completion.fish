# fish completion of cutover(1); install it as share/fish/vendor_completions.d/cutover.fish.

function __cutover_dir
    set -l words (commandline -opc)
    if set -l i (contains -i -- --state $words); and test (count $words) -gt $i
        echo $words[(math $i + 1)]
    else if set -q CUTOVER_STATE
        echo $CUTOVER_STATE
    else if set -q XDG_STATE_HOME
        echo $XDG_STATE_HOME/cutover
    else
        echo $HOME/.local/state/cutover
    end
end
function __cutover_runs # the runs that have a file with this ending
    for f in (__cutover_dir)/*.$argv[1]
        string replace -r '.*/(.*)\.[a-z]+$' '$1' -- $f
    end
end
function __cutover_journals
    for f in (__cutover_dir)/*.jsonl
        echo $f
    end
    __fish_complete_suffix .jsonl
end
function __cutover_themes
    set -l dirs themes $CUTOVER_THEMES $HOME/.config/cutover/themes /usr/local/share/cutover/themes /usr/share/cutover/themes
    echo dark
    for d in $dirs
        for f in $d/*.cfg
            string replace -r '.*/(.*)\.cfg$' '$1' -- $f
        end
    end
end
function __cutover_is
    __fish_seen_subcommand_from $argv
end
set -l commands attach run check status report replay spf dns plan help

complete -c cutover -f
complete -c cutover -n "not __cutover_is $commands" -a attach -d 'a further screen for a running cutover'
complete -c cutover -n "not __cutover_is $commands" -a run -d 'the engine without a screen'
complete -c cutover -n "not __cutover_is $commands" -a check -d 'look at everything once, go or no-go'
complete -c cutover -n "not __cutover_is $commands" -a status -d 'the state of a run as JSON'
complete -c cutover -n "not __cutover_is $commands" -a report -d 'the Markdown record of a run'
complete -c cutover -n "not __cutover_is $commands" -a replay -d 'play a journal, or print one frame of it'
complete -c cutover -n "not __cutover_is $commands" -a spf -d 'may an address send mail for a domain?'
complete -c cutover -n "not __cutover_is $commands" -a dns -d 'a snapshot of the records, or what changed between two'
complete -c cutover -n "not __cutover_is $commands" -a plan -d 'a complete, commented plan'
complete -c cutover -n "not __cutover_is $commands" -a help -d 'keys, steps, checks, metrics, events'
complete -c cutover -n "not __cutover_is report replay spf dns plan help" -a '(__fish_complete_suffix .cfg)'
complete -c cutover -n "__cutover_is attach" -a '(__cutover_runs sock)'
complete -c cutover -n "__cutover_is status" -a '(__cutover_runs jsonl)'
complete -c cutover -n "__cutover_is report replay" -a '(__cutover_journals)'
complete -c cutover -n "__cutover_is dns; and not __cutover_is snapshot diff" -a 'snapshot diff'
complete -c cutover -n "__cutover_is dns; and __cutover_is snapshot" -a '(__fish_complete_suffix .cfg)'
complete -c cutover -n "__cutover_is dns; and __cutover_is diff" -F
complete -c cutover -n "__cutover_is help" -a 'keys steps checks metrics events'

complete -c cutover -n "not __cutover_is report replay spf dns plan help" -l state -x -a '(__fish_complete_directories)' -d 'where journals and sockets live'
complete -c cutover -n "not __cutover_is run check status report spf dns plan help" -l theme -x -a '(__cutover_themes)' -d colours
complete -c cutover -n "not __cutover_is run check status report spf dns plan help" -l ascii -d 'no characters beyond ASCII'
complete -c cutover -n "not __cutover_is run check status report replay spf dns plan help" -l read-only -d 'a screen that only watches'
complete -c cutover -n "__cutover_is run" -l yes -d 'confirm every step'
complete -c cutover -n "__cutover_is replay" -l at -x -a end -d 'print the frame of this instant'
complete -c cutover -n "__cutover_is replay" -l screen -x -a '80x24 120x40 200x60' -d 'columns and rows'
complete -c cutover -n "__cutover_is replay" -l ansi -d 'in colour'
complete -c cutover -n "__cutover_is replay" -l svg -d 'as a picture'
complete -c cutover -n "__cutover_is spf" -l helo -x -d 'what the machine says in HELO'
complete -c cutover -n "__cutover_is spf" -l sender -x -d 'the address of MAIL FROM'
complete -c cutover -n "__cutover_is spf" -l server -x -d 'the DNS server that is asked'
complete -c cutover -n "__cutover_is plan" -l example -d 'print a complete plan'
complete -c cutover -n "not __cutover_is $commands" -l version -d 'print the version'
complete -c cutover -n "not __cutover_is $commands" -s h -l help -d 'print the usage'
