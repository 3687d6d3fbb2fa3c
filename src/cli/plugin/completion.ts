/**
 * Shell completion. The scripts of bash, zsh and fish, and kubectl itself, call `__complete` for candidates, in
 * kubectl's protocol for plugins: a candidate a line, followed by a tab and its description, and a last line `:4`
 * (nothing else) or `:0` (or files).
 */
import type { Command } from 'commander';
import type { Place } from './connection.ts';

export const SHELLS = ['bash', 'zsh', 'fish', 'kubectl'] as const;
export type Shell = (typeof SHELLS)[number];

/** The candidates for the last of `words`, which may be ''. */
export interface Completion {
  readonly candidates: readonly { readonly value: string; readonly about?: string }[];
  /** Whether file names are candidates, too. */
  readonly files: boolean;
}

/** The names that can be completed. Requested only if needed. */
export interface Names {
  /** ChaosDemos of the cluster and the namespace in the preceding words. */
  readonly demos: (place: Place) => Promise<readonly string[]>;
}

/** Valid object names. A shell puts a candidate on its command line unescaped, whatever server it is from. */
const NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/** @param words the words after the name of the program, up to the cursor */
export async function complete(
  program: Command,
  words: readonly string[],
  names: Names,
): Promise<Completion> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const of = (candidates: Completion['candidates'], files = false): Completion => ({
    candidates: candidates.filter(({ value }) => value.startsWith(last)),
    files,
  });
  const named = (values: readonly string[]) => values.map((value) => ({ value }));
  const command = program.commands.find((each) => each.name() === before[0]);
  if (!command) {
    const commands = before.length > 0 ? [] : program.commands.filter((each) => !each.name().startsWith('_'));
    return of(commands.map((each) => ({ value: each.name(), about: each.summary() || each.description() })));
  }
  const awaited = optionOf(command, before.at(-1) ?? '');
  if (awaited?.required) {
    return of(named(awaited.argChoices ?? []), /<(file|folder)>/.test(awaited.flags));
  }
  if (last.startsWith('-')) {
    return of(command.options.map(({ description, long }) => ({ value: long ?? '', about: description })));
  }
  const [argument] = command.registeredArguments;
  const given = before
    .slice(1)
    .filter((word, i, all) => !word.startsWith('-') && !optionOf(command, all[i - 1] ?? '')?.required);
  if (!argument || given.length > 0) return of([]);
  if (argument.argChoices) return of(named(argument.argChoices));
  if (argument.name() === 'workload') return of([]);
  const demos = await names.demos(placeOf(before)).catch((): string[] => []);
  return of(named(demos.filter((name) => NAME.test(name))));
}

/** The output format for kubectl and the scripts. */
export function completionLines({ candidates, files }: Completion): string[] {
  return [
    ...candidates.map(({ value, about }) => (about ? `${value}\t${about}` : value)),
    files ? ':0' : ':4',
  ];
}

function optionOf(command: Command, word: string) {
  return command.options.find(({ long, short }) => word !== '' && (word === long || word === short));
}

/** The last value of each cluster flag: `--flag value`, `--flag=value`, `-n value` or `-nvalue`. */
function placeOf(words: readonly string[]): Place {
  const place: Record<string, string> = {};
  for (const [i, word] of words.entries()) {
    const [, long, joined] = /^--(namespace|context|kubeconfig)(?:=(.*))?$/.exec(word) ?? [];
    const [, short] = /^-n(.*)$/.exec(word) ?? [];
    const flag = long ?? (short === undefined ? undefined : 'namespace');
    const value = joined ?? (short || words[i + 1]);
    if (flag !== undefined && value !== undefined) place[flag] = value;
  }
  return place;
}

/** The script for a shell to load; for `kubectl`, a program on PATH, by which `kubectl chaosdemo` itself completes. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell].trimStart();
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `
# Completion of kubectl-chaosdemo for bash: source <(kubectl chaosdemo completion bash)
_kubectl_chaosdemo() {
  local line directive=4
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=\${line#:} ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(kubectl-chaosdemo __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ "$directive" = 0 ]; then compopt -o default; fi
}
complete -F _kubectl_chaosdemo kubectl-chaosdemo
`,
  zsh: `
#compdef kubectl-chaosdemo
# Completion of kubectl-chaosdemo for zsh: source <(kubectl chaosdemo completion zsh)
_kubectl_chaosdemo() {
  local line directive=4
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :[0-9]*) directive=\${line#:} ;;
      *) candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done < <(kubectl-chaosdemo __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'kubectl-chaosdemo' candidates
  if [ "$directive" = 0 ]; then _files; fi
}
compdef _kubectl_chaosdemo kubectl-chaosdemo
`,
  fish: `
# Completion of kubectl-chaosdemo for fish: kubectl chaosdemo completion fish | source
function __kubectl_chaosdemo
  set -l words (commandline -opc)
  set -l lines (kubectl-chaosdemo __complete $words[2..-1] (commandline -ct) 2>/dev/null)
  for line in $lines
    if string match -q ':0' -- $line
      __fish_complete_path (commandline -ct)
    else if not string match -q ':*' -- $line
      echo $line
    end
  end
end
complete -c kubectl-chaosdemo -f -a '(__kubectl_chaosdemo)'
`,
  kubectl: `
#!/bin/sh
# Lets kubectl complete "kubectl chaosdemo": put it on PATH as kubectl_complete-chaosdemo, executable.
exec kubectl-chaosdemo __complete "$@"
`,
};
