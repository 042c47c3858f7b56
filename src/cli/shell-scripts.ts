/** What a shell runs to complete a line: it asks the program itself, so that it is never older than the program. */

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** Lines of `completion words` that are no choices. */
export const ASK_SHELL = { files: ":files", folders: ":folders" } as const;

/** Choices are never expanded by the shell: names come from servers. */
const BASH = `# globalroute: completion for bash 4.4 or newer. For this shell: source <(globalroute completion bash)
_globalroute() {
  local line cur=\${COMP_WORDS[COMP_CWORD]}
  local -a lines
  COMPREPLY=()
  mapfile -t lines < <("$1" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ $cur == "=" ]] && cur=""
  for line in "\${lines[@]}"; do
    case $line in
      :files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
      :folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done
}
complete -F _globalroute globalroute
`;

const ZSH = `#compdef globalroute
# globalroute: completion for zsh. For this shell: source <(globalroute completion zsh)
_globalroute() {
  local line value
  local -a lines choices
  lines=("\${(@f)$(globalroute completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      :files) _files; return ;;
      :folders) _files -/; return ;;
      ?*) value=\${line%%$'\\t'*}; choices+=("\${value//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#choices )) && _describe globalroute choices
}
if [ "$funcstack[1]" = "_globalroute" ]; then
  _globalroute "$@"
else
  compdef _globalroute globalroute
fi
`;

const FISH = `# globalroute: completion for fish. For this shell: globalroute completion fish | source
function __globalroute_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -e words[1]
    for line in (globalroute completion words -- $words "$cur" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$cur"
            case :folders
                __fish_complete_directories "$cur"
            case '*'
                echo $line
        end
    end
end
complete -c globalroute -f -a '(__globalroute_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
