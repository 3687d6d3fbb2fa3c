/** Common parts of the commands of `kubectl chaosdemo`: their definition, and their execution. */
import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { type ChaosDemo, terminalLine } from '../../../api/index.ts';
import { connect, type Place, type UserConnection } from '../connection.ts';
import { existingDemo } from '../demos.ts';

export interface CommandContext {
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Called with the exit status of the command that ran. */
  readonly onExit: (status: number) => void;
}

/** A command line that uses a cluster. */
export interface Call<O> {
  readonly connection: UserConnection;
  readonly options: O;
  readonly signal: AbortSignal;
  /** The argument. */
  readonly given: string | undefined;
}

/** A command that uses a cluster, and its help. */
export interface ClusterCommand<O = object> {
  readonly name: string;
  /** A sentence without its full stop. */
  readonly summary: string;
  readonly examples: readonly string[];
  readonly notes?: string;
  /** Whether its argument is the name of an object. */
  readonly isNamed?: true;
  readonly options?: readonly Option[];
  /** Returns the exit status. */
  run(call: Call<O>): Promise<number>;
}

/** A command about a ChaosDemo that exists. */
interface DemoCommand<O> extends Omit<ClusterCommand<O>, 'isNamed' | 'run'> {
  run(call: Call<O>, demo: ChaosDemo): Promise<number>;
}

export const OPERATOR_NAMESPACE = new Option(
  '--operator-namespace <name>',
  'namespace of the operator',
).default('chaosdemo-system');

export function demoCommand<O = object>(command: DemoCommand<O>): ClusterCommand<O> {
  return {
    ...command,
    isNamed: true,
    run: async (call) =>
      await command.run(call, await existingDemo(call.connection, call.given, call.signal)),
  };
}

/** Adds a command to the program. Its connection is always closed. */
export function addCommand(
  program: Command,
  command: ClusterCommand,
  { onExit, signal }: CommandContext,
): void {
  const { examples, isNamed, name, notes, options = [], summary } = command;
  const added = program
    .command(name)
    .summary(summary)
    // Commander wraps lines to the terminal, but keeps existing breaks.
    .description(`${summary}.${notes ? `\n\n${notes.replace(/(?<!\n)\n(?!\n)/g, ' ')}` : ''}`)
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
    .exitOverride()
    .option('-n, --namespace <name>', 'namespace of the ChaosDemo (default: that of the context)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig to use');
  if (isNamed) added.argument('[name]', 'name of the ChaosDemo (default: the only one of the namespace)');
  for (const option of options) added.addOption(option);
  added.action(async () => {
    const given = added.opts<Place>();
    const connection = connect(given);
    if (connection.client.warning) process.stderr.write(`${terminalLine(connection.client.warning)}\n`);
    try {
      onExit(await command.run({ connection, options: given, signal, given: added.args[0] }));
    } finally {
      await connection.client.close();
    }
  });
}

export function print(line: string): void {
  process.stdout.write(`${terminalLine(line)}\n`);
}

/** A new value of the annotation that requests a run: the time, and something that distinguishes two requests. */
export function newRequest(): string {
  return `${new Date().toISOString()}-${randomBytes(3).toString('hex')}`;
}
