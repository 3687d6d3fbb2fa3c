/** Common parts of the commands of `kubectl chaosdemo`: their definition, and their execution. */
import { randomBytes } from 'node:crypto';
import { duration } from '@chaosdemo/settings/values';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { terminalLine } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { hasTerminal } from '../../view/screen.ts';
import { connect, type Place, type UserConnection } from '../connection.ts';

export interface CommandContext {
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Called with the exit status of the command that ran. */
  readonly onExit: (status: number) => void;
}

/** The help of a command. */
export interface CommandText {
  readonly name: string;
  /** A sentence without its full stop. */
  readonly summary: string;
  readonly examples: readonly string[];
  readonly notes?: string;
}

export const VERDICTS = `Exit status: 0 Succeeded, 1 Failed, 2 Errored, cannot start or no verdict in time, 3 Aborted,
64 wrong usage, 130 stopped by Ctrl-C.`;

export const ONLY_ONE = 'name of the ChaosDemo (default: the only one of the namespace)';

/** Longer than the activeDeadline of the samples, 10 m. */
const DEFAULT_TIMEOUT = { milliseconds: 15 * 60_000, written: '15m' };
const waitingTime = duration('1s', '25h', '15m');

/** Adds a command that uses a cluster; its options hold a {@link Place}. */
export function clusterCommand(program: Command, { examples, name, notes, summary }: CommandText): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary}.${notes ? `\n\n${asParagraphs(notes)}` : ''}`)
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
    .exitOverride()
    .option('-n, --namespace <name>', 'namespace of the ChaosDemo (default: that of the context)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig to use');
}

/** Wrapped to the terminal: commander wraps lines, but keeps existing breaks. */
function asParagraphs(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n)/g, ' ');
}

export function timeoutOption(): Option {
  return new Option('--timeout <duration>', 'give up after so long')
    .default(DEFAULT_TIMEOUT.milliseconds, DEFAULT_TIMEOUT.written)
    .argParser(parseTimeout);
}

export function plainOption(): Option {
  return new Option('--plain', 'print lines, also on a terminal').default(!hasTerminal(), 'only without one');
}

export function operatorNamespaceOption(): Option {
  return new Option('--operator-namespace <name>', 'namespace of the operator').default('chaosdemo-system');
}

export function verboseOption(): Option {
  return new Option('--verbose', 'print all figures, evidence and diagnoses after the run');
}

/** The arguments of commander for an action of a command without an argument or with `[name]`. */
type ActionArguments<O> =
  | [options: O, command: Command]
  | [name: string | undefined, options: O, command: Command];

/** An action that runs `work` on a connection, which is always closed. Its status is 0 if it returns none. */
export function withConnection<O extends Place>(
  { onExit }: CommandContext,
  work: (connection: UserConnection, options: O, name?: string) => Promise<number | undefined>,
): (...args: ActionArguments<O>) => Promise<void> {
  return async (...args) => {
    const [options, name] = args.length === 3 ? [args[1], args[0]] : [args[0]];
    const connection = connect(options);
    if (connection.client.warning) process.stderr.write(`${terminalLine(connection.client.warning)}\n`);
    try {
      onExit((await work(connection, options, name)) ?? EXIT.done);
    } finally {
      await connection.client.close();
    }
  };
}

export function print(line: string): void {
  process.stdout.write(`${terminalLine(line)}\n`);
}

/** A new value of the annotation that requests a run: the time, and something that distinguishes two requests. */
export function newRequest(): string {
  return `${new Date().toISOString()}-${randomBytes(3).toString('hex')}`;
}

function parseTimeout(written: string): number {
  const parsed = waitingTime.schema.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Write ${waitingTime.write}.`);
}
