// The small shell program that every hook runs. It takes down what cannot be asked for later (which commit, what was on
// stdin) and leaves the rest to a process of its own.

/** Text of the program `report`, which lies in the state directory. */
export function reportProgram(node: string, program: string): string {
  return `#!/bin/sh
# Made by \`quarterdeck hook install\`. Returns at once, prints nothing and never fails, whatever is missing.
node=${quoted(node)}
program=${quoted(program)}
state=\${0%/*}
[ -x "$node" ] && [ -f "$program" ] || exit 0
head= branch= input=
case \${2-}:\${3-} in
  git:pre-push | git:post-receive | claude:*) input=$(cat) ;;
  git:*)
    head=$(git rev-parse --quiet --verify HEAD 2>/dev/null)
    branch=$(git symbolic-ref --quiet --short HEAD 2>/dev/null)
    ;;
esac
# A session of its own, where the system has the word for it: who ends the tool's processes does not end this one.
apart=
command -v setsid >/dev/null 2>&1 && apart=setsid
printf '%s\\n' "$input" |
  NODE_OPTIONS='' NODE_COMPILE_CACHE="$state/cache" QUARTERDECK_HOOK_HEAD="$head" QUARTERDECK_HOOK_BRANCH="$branch" \\
    $apart "$node" --disable-warning=ExperimentalWarning "$program" "$state" "$@" >/dev/null 2>&1 &
exit 0
`;
}

/** As one word for the shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
