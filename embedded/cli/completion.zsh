#compdef atoll
# zsh completion for atoll:  source <(atoll completion zsh)
autoload -U +X bashcompinit && bashcompinit
source <(atoll completion bash)
