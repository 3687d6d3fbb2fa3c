/** `completion`, and the hidden command that its scripts call. */
import { Argument, type Command } from 'commander';
import { terminalLine } from '../../../api/index.ts';
import { complete, completionLines, completionScript, SHELLS, type Shell } from '../completion.ts';
import { connect, type Place } from '../connection.ts';
import { listNames } from '../demos.ts';
import { type CommandContext, localCommand } from './command.ts';

/** The longest acceptable wait for a completion. */
const COMPLETION_TIMEOUT_MS = 3_000;

export function addCompletion(program: Command, { signal }: CommandContext): void {
  localCommand(program, {
    name: 'completion',
    summary: 'Print a script that completes commands, flags and names in your shell',
    examples: [
      'source <(kubectl chaosdemo completion bash)',
      'kubectl chaosdemo completion kubectl > ~/.local/bin/kubectl_complete-chaosdemo',
    ],
    notes: `bash, zsh and fish complete kubectl-chaosdemo. For "kubectl chaosdemo", kubectl runs the program
kubectl_complete-chaosdemo on PATH, executable: "completion kubectl" prints it.`,
  })
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => void process.stdout.write(completionScript(shell)));

  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (words: string[]) => {
      const demos = async (place: Place): Promise<string[]> => {
        const connection = connect(place);
        const within = AbortSignal.any([signal, AbortSignal.timeout(COMPLETION_TIMEOUT_MS)]);
        try {
          return await listNames(connection.client, connection.namespace, within);
        } finally {
          await connection.client.close();
        }
      };
      for (const line of completionLines(await complete(program, words, { demos }))) {
        // A tab separates a candidate from its description.
        process.stdout.write(`${line.split('\t').map(terminalLine).join('\t')}\n`);
      }
    });
}
