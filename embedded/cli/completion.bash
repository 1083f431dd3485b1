# bash completion for atoll:  source <(atoll completion bash)
_atoll() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="start stop status deploy destroy logs image exec mesh partition heal partitions doctor coverage clock dns trust sdk completion man --help --version"
  else
    case $command in
      start) words="--foreground --address --port --data --durability --auth --account --region --tier --dns-port --resolv-conf --shards --log-level --help" ;;
      stop) words="--data --help" ;;
      status) words="--data --output --port --watch --frames --help" ;;
      deploy) words="--stack --parameter --port --region --help" ;;
      destroy) words="$(atoll status 2>/dev/null | awk '/_(COMPLETE|FAILED|PROGRESS)$/ {print $1}') --port --region --help" ;;
      logs) words="--follow --lines --port --region --help" ;;
      image) words="import list remove --name --port --help" ;;
      exec) words="--container --port --help" ;;
      mesh) words="--watch --port --help" ;;
      partition) words="--for --port --help" ;;
      heal | partitions) words="--port --help" ;;
      coverage) words="--json --markdown --help" ;;
      dns) words="install remove --port --resolv-conf --help" ;;
      trust) words="--data --port --store --remove --print --help" ;;
      sdk) words="install --data --help" ;;
      clock) words="freeze advance resume --port --help" ;;
      completion) words="bash zsh fish" ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  { [ "$command" = deploy ] || [ "$command" = image ]; } && [[ $current != -* ]] && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
}
complete -F _atoll atoll
