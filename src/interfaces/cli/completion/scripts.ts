// What a shell is told once: to ask this very program at each TAB, so that the words are always those of the version that
// answers. The scripts know nothing of commands; complete.ts does.

/** First argument of the question that the scripts ask. No command has this name, and no help shows it. */
export const COMPLETE = '__complete';
/** The answer's last line when file names belong here too. */
export const FILES = ':files';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

// The line is handed over as it stands, up to the cursor: bash itself cuts words at `=`, `:` and `@`, which belong to
// ours. It replaces only the last of its own pieces, so what stands before that is taken off the answers.
const bash = `# bash completion for quarterdeck. Put it into your ~/.bashrc:  source <(quarterdeck completion bash)
_quarterdeck() {
  local line=\${COMP_LINE:0:COMP_POINT} typed value rest
  typed=\${line##*[[:space:]]}
  local piece=\${COMP_WORDS[COMP_CWORD]}
  case $piece in *[!=:@]*) ;; *) piece= ;; esac
  local before=\${typed%"$piece"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    if [ "$value" = '${FILES}' ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$piece")
    else
      COMPREPLY+=("\${value#"$before"}")
    fi
  done < <("\${COMP_WORDS[0]}" ${COMPLETE} "$line" 2>/dev/null)
  if [ \${#COMPREPLY[@]} -eq 1 ]; then
    case \${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
  fi
}
complete -F _quarterdeck quarterdeck qd
`;

const zsh = `#compdef quarterdeck qd
# zsh completion for quarterdeck. Put it into your ~/.zshrc, behind compinit:  source <(quarterdeck completion zsh)
_quarterdeck() {
  local line value about
  local -a found
  line="\${(j: :)words[1,CURRENT-1]} \${PREFIX}"
  while IFS=$'\\t' read -r value about; do
    if [[ $value == '${FILES}' ]]; then
      _files
    else
      found+=("\${value//:/\\\\:}:$about")
    fi
  done < <("\${words[1]}" ${COMPLETE} "$line" 2>/dev/null)
  (( \${#found} )) && _describe -V quarterdeck found
}
compdef _quarterdeck quarterdeck qd
`;

const fish = `# fish completion for quarterdeck. Run:  quarterdeck completion fish > ~/.config/fish/completions/quarterdeck.fish
function __quarterdeck_complete
    set -l line (commandline -cp)
    set -l program (commandline -opc)[1]
    for answer in ($program ${COMPLETE} "$line" 2>/dev/null)
        if test "$answer" = '${FILES}'
            __fish_complete_path (commandline -ct)
        else
            printf '%s\\n' $answer
        end
    end
end
complete -c quarterdeck -f -a '(__quarterdeck_complete)'
complete -c qd -f -a '(__quarterdeck_complete)'
`;

export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
