# fish completion for atoll:  atoll completion fish | source
function __atoll_stacks
    atoll status 2>/dev/null | string match -r '^\S+(?=\s.*_(?:COMPLETE|FAILED|PROGRESS)$)'
end
function __atoll_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end
complete -c atoll -f
set -l none 'test (count (commandline -opc)) -eq 1'
complete -c atoll -n $none -l help -d 'what there is'
complete -c atoll -n $none -l version
for word in start stop status deploy destroy logs image exec mesh partition heal partitions doctor coverage clock dns trust sdk completion man
    complete -c atoll -n $none -a $word
end
function __atoll_options
    for option in $argv[2..]
        complete -c atoll -n "__atoll_command $argv[1]" -l $option
    end
end
function __atoll_words
    complete -c atoll -n "__atoll_command $argv[1]" -a "$argv[2..]"
end
__atoll_options start foreground address port data durability auth account region tier dns-port resolv-conf shards log-level help
__atoll_options stop data help
__atoll_options status data output port watch frames help
__atoll_options deploy stack parameter port region help
__atoll_options destroy port region help
__atoll_options logs follow lines port region help
__atoll_options image name port help
__atoll_options exec container port help
__atoll_options mesh watch port help
__atoll_options partition for port help
__atoll_options heal port help
__atoll_options partitions port help
__atoll_options coverage json markdown help
__atoll_options dns port resolv-conf help
__atoll_options trust data port store remove print help
__atoll_options sdk data help
__atoll_options clock port help
__atoll_words destroy '(__atoll_stacks)'
__atoll_words image import list remove
__atoll_words dns install remove
__atoll_words sdk install
__atoll_words clock freeze advance resume
__atoll_words completion bash zsh fish
complete -c atoll -n '__atoll_command deploy' -F
complete -c atoll -n '__atoll_command image' -F
functions -e __atoll_options __atoll_words
