/** The commands of `kubectl chaosdemo`: their flags, their help, and what each of them runs. */
import { randomBytes } from 'node:crypto';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { ANNOTATIONS, terminalLine } from '../../api/index.ts';
import { duration } from '../../settings/kinds.ts';
import { FORMATS } from '../report/write.ts';
import { hasTerminal } from '../view/screen.ts';
import { type Display, plainDisplay } from '../view/session.ts';
import { complete, completionLines, completionScript, SHELLS, type Shell } from './completion.ts';
import { type Connection, connect, type Place } from './connection.ts';
import { annotate, applyDemo, chooseName, getDemo, listNames } from './demos.ts';
import { doctor } from './doctor/doctor.ts';
import { EXIT } from './errors.ts';
import { namespaceOf, parseManifest, readManifestFile } from './manifest.ts';
import { type ReportOptions, report } from './report.ts';
import { awaitVerdict } from './run.ts';
import { abortOf, advanceOf, requestOf, rerunOf, type Steering } from './steer.ts';
import { liveDisplay, present, watch } from './watch.ts';

export interface ProgramOptions {
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Hears of the exit status of the command that ran. */
  readonly onExit: (status: number) => void;
}

interface Waiting extends Place {
  readonly timeout: number;
}

const VERDICTS = `Exit status: 0 Succeeded, 1 Failed, 2 Errored, refused, a dry run or no verdict in time, 3 Aborted,
64 wrong usage, 130 stopped by Ctrl-C.`;

/** Longer than the activeDeadline of the samples, 10 m. */
const DEFAULT_TIMEOUT = { milliseconds: 15 * 60_000, written: '15m' };
const waitingTime = duration('1s', '25h', '15m');

/** Parses nothing yet. */
export function createProgram({ onExit, signal }: ProgramOptions): Command {
  const program = new Command('kubectl chaosdemo')
    .description('Runs, shows and steers ChaosDemos, and says why one does not start.')
    .version(packageJson.version, '--version')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();

  const command = (name: string, summary: string, examples: readonly string[], notes?: string): Command => {
    const made = program
      .command(name)
      .summary(summary)
      .description(`${summary}.${notes ? `\n\n${notes}` : ''}`)
      .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
    return made.exitOverride();
  };
  const inCluster = (made: Command): Command =>
    made
      .option('-n, --namespace <name>', 'namespace of the ChaosDemo (default: that of the context)')
      .option('--context <name>', 'context of the kubeconfig')
      .option('--kubeconfig <file>', 'kubeconfig to use');
  const timed = (made: Command): Command =>
    made.addOption(
      new Option('--timeout <duration>', 'give up after so long')
        .default(DEFAULT_TIMEOUT.milliseconds, DEFAULT_TIMEOUT.written)
        .argParser(parseTimeout),
    );
  const shown = (made: Command): Command =>
    made.addOption(
      new Option('--plain', 'print lines, also on a terminal').default(!hasTerminal(), 'only without one'),
    );

  /** Runs `work` on a connection, which is closed whatever happens. */
  const connected =
    <O extends Place>(
      work: (connection: Connection, options: O, name?: string) => Promise<number | undefined>,
    ) =>
    async (...args: unknown[]): Promise<void> => {
      const [options, name] =
        args.length === 3 ? [args[1] as O, args[0] as string | undefined] : [args[0] as O];
      const connection = connect(options);
      if (connection.client.warning) process.stderr.write(`${terminalLine(connection.client.warning)}\n`);
      try {
        onExit((await work(connection, options, name)) ?? EXIT.done);
      } finally {
        await connection.client.close();
      }
    };

  /** Nobody waits for an object that is not there. */
  const existing = async (connection: Connection, given: string | undefined): Promise<string> =>
    (await getDemo(connection, await chooseName(connection, given, signal), signal)).metadata.name;

  /** Shows the run to its end. */
  const toVerdict = async (
    connection: Connection,
    name: string,
    { plain, timeout }: { plain: boolean; timeout: number },
  ): Promise<number> => {
    const display: Display = plain ? plainDisplay(say) : await liveDisplay();
    const hint = plain ? say : () => undefined;
    return await awaitVerdict({ connection, name, display, say, hint, timeoutMs: timeout, signal });
  };

  const steered = (
    annotation: keyof typeof ANNOTATIONS,
    steering: (demo: Awaited<ReturnType<typeof getDemo>>, kubectl: string) => Steering,
  ) =>
    connected(async (connection, _options, given) => {
      const name = await chooseName(connection, given, signal);
      const { value, does } = steering(await getDemo(connection, name, signal), connection.kubectl);
      await annotate(connection, name, annotation, value, signal);
      say(`${connection.namespace}/${name} ${does} (${ANNOTATIONS[annotation]}=${value})`);
      return EXIT.done;
    });

  shown(
    timed(
      inCluster(
        command(
          'run',
          'Apply a ChaosDemo, start a run of it, and show that to its end',
          [
            'kubectl chaosdemo run -f manifests/samples/demo.yaml',
            'kubectl chaosdemo run -f gate.yaml --plain --timeout 20m',
          ],
          `The file holds one ChaosDemo. It is applied server-side, with ${ANNOTATIONS.requestedAt}, so that each call is
a run of its own. Ctrl-C leaves the run on.\n\n${VERDICTS}`,
        ),
      ),
    ),
  )
    .requiredOption('-f, --filename <file>', 'YAML or JSON of one ChaosDemo; - for standard input')
    .action(
      connected<Waiting & { filename: string; plain: boolean }>(async (connection, options) => {
        const manifest = parseManifest(options.filename, await readManifestFile(options.filename, signal));
        const namespace = namespaceOf(manifest, connection);
        const annotations = { ...manifest.metadata.annotations, [ANNOTATIONS.requestedAt]: newRequest() };
        const metadata = { ...manifest.metadata, namespace, annotations };
        const { name } = (await applyDemo(connection, { ...manifest, metadata }, signal)).metadata;
        say(`${namespace}/${name} applied`);
        return await toVerdict({ ...connection, namespace }, name, options);
      }),
    );

  shown(
    timed(
      inCluster(
        command(
          'wait',
          'Wait until the run of a ChaosDemo has ended, or it is refused',
          [
            'kubectl chaosdemo wait demo -n ratelimiter',
            'kubectl chaosdemo wait demo --timeout 20m && deploy',
          ],
          VERDICTS,
        ),
      ),
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(
      connected<Waiting & { plain: boolean }>(async (connection, options, given) =>
        toVerdict(connection, await existing(connection, given), options),
      ),
    );

  shown(
    inCluster(
      command(
        'watch',
        'Show a ChaosDemo live',
        ['kubectl chaosdemo watch demo -n ratelimiter', 'kubectl chaosdemo watch demo --plain | tee run.log'],
        `Chapters, countdown, health, results, charts of what was measured, and events. On a terminal it stays until you
press q. As plain lines it ends with the run. Without colour: NO_COLOR=1.`,
      ),
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(
      connected<Place & { plain: boolean }>(async (connection, { plain }, given) => {
        await watch({ connection, name: await existing(connection, given), plain, say, signal });
        return EXIT.done;
      }),
    );

  inCluster(
    command(
      'present',
      'Tell the story of a run on a stage',
      ['kubectl chaosdemo present demo -n ratelimiter'],
      `Large, one chapter at a time. Space goes on to the next chapter where spec.pace.mode is Manual; a twice aborts the
run; r twice runs again; q leaves. It needs a terminal.`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(
      connected(async (connection, _options, given) => {
        const name = await existing(connection, given);
        await present({ connection, name, say, signal, newRequest });
        return EXIT.done;
      }),
    );

  inCluster(
    command(
      'advance',
      'Let a run go on that waits for you',
      ['kubectl chaosdemo advance demo -n ratelimiter'],
      `Sets ${ANNOTATIONS.advance} to <run>/<chapter> of the chapter in which the run waits (spec.pace.mode: Manual).`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(steered('advance', advanceOf));

  inCluster(
    command(
      'abort',
      'Stop a run, release its fault and restore',
      ['kubectl chaosdemo abort demo -n ratelimiter'],
      `Sets ${ANNOTATIONS.abort} to the number of the run that is on.`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(steered('abort', abortOf));

  inCluster(
    command(
      'rerun',
      'Run again, without a change of the spec',
      [
        'kubectl chaosdemo rerun demo -n ratelimiter',
        'kubectl chaosdemo rerun demo && kubectl chaosdemo wait demo',
      ],
      `Sets ${ANNOTATIONS.requestedAt} to a new value. A run that is on is stopped first.`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .action(steered('requestedAt', (demo) => rerunOf(demo, Date.now(), unique())));

  inCluster(
    command(
      'report',
      'Write a report of the last run, once it has ended',
      [
        'kubectl chaosdemo report demo -n ratelimiter',
        'kubectl chaosdemo report demo --format markdown | gh pr comment --body-file -',
        'kubectl chaosdemo report demo --output-dir reports',
      ],
      `html is one page with plots, for people who were not there; markdown is short, for a pull request; junit is for a
CI system. It ends with 0 when the report is written, whatever the verdict.`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .addOption(new Option('--format <format>', 'what to write').choices(FORMATS).default('html'))
    .option(
      '-o, --output <file>',
      'where to; - is standard output (default: html to <name>-run-<number>.html)',
    )
    .addOption(
      new Option('--output-dir <folder>', 'write all formats: report.html, report.md, junit.xml').conflicts([
        'format',
        'output',
      ]),
    )
    .action(
      connected<Place & ReportOptions>(async (connection, options, given) => {
        const name = await chooseName(connection, given, signal);
        await report(connection, await getDemo(connection, name, signal), { ...options, say, signal });
        return EXIT.done;
      }),
    );

  inCluster(
    command(
      'ui',
      'Show runs as a page in your browser, live',
      [
        'kubectl chaosdemo ui',
        'kubectl chaosdemo ui demo -n ratelimiter',
        'kubectl chaosdemo ui --no-open --port 8443',
      ],
      `All ChaosDemos that you may list, one run with its plots, and two runs side by side. With -n the list is of that
namespace. It is served on 127.0.0.1 with your own rights, to whoever has the address that is printed. Ctrl-C ends it.`,
    ),
  )
    .argument('[name]', 'name of the ChaosDemo whose page is opened (default: the page of all)')
    .addOption(
      new Option('--port <number>', 'port of 127.0.0.1').default(0, 'one that is free').argParser(parsePort),
    )
    .option('--no-open', 'open no browser')
    .action(
      connected<Place & { port: number; open: boolean }>(async (connection, { open, port }, given) => {
        // It brings the charting library, which no other command needs at its start.
        const { hasBrowser, ui } = await import('./ui/ui.ts');
        const name = given === undefined ? undefined : await existing(connection, given);
        await ui({ connection, name, port, open: open && hasBrowser(), say, signal });
        return EXIT.done;
      }),
    );

  inCluster(
    command(
      'doctor',
      'Say why a ChaosDemo does not start, with the commands that mend it',
      [
        'kubectl chaosdemo doctor demo -n ratelimiter',
        'kubectl chaosdemo doctor demo --operator-namespace chaos',
      ],
      `Looks with your own rights, and changes nothing.

Exit status: 0 nothing was found that stands in the way of a run, 1 something was, 2 the API server could not be
asked. A line with ? could not be looked at, and counts for neither.`,
    ),
  )
    .argument('[name]', ONLY_ONE)
    .option('--operator-namespace <name>', 'namespace of the operator', 'chaosdemo-system')
    .action(
      connected<Place & { operatorNamespace: string }>(async (connection, { operatorNamespace }, given) => {
        // Without the CRD there is nothing to choose from, and that is what it is asked for.
        const name = given ?? (await chooseName(connection, given, signal).catch(() => 'demo'));
        return await doctor({ connection, name, system: operatorNamespace, say, signal });
      }),
    );

  command(
    'completion',
    'Print a script that completes commands, flags and names in your shell',
    [
      'source <(kubectl chaosdemo completion bash)',
      'kubectl chaosdemo completion kubectl > ~/.local/bin/kubectl_complete-chaosdemo',
    ],
    `bash, zsh and fish complete kubectl-chaosdemo. For "kubectl chaosdemo", kubectl asks a program
kubectl_complete-chaosdemo on PATH, executable: "completion kubectl" prints it.`,
  )
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => void process.stdout.write(completionScript(shell)));

  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (words: string[]) => {
      const demos = async (namespace: string | undefined): Promise<string[]> => {
        const connection = connect(namespace === undefined ? {} : { namespace });
        const within = AbortSignal.any([signal, AbortSignal.timeout(COMPLETE_WITHIN_MS)]);
        try {
          return await listNames(connection.client, connection.namespace, within);
        } finally {
          await connection.client.close();
        }
      };
      for (const line of completionLines(await complete(program, words, { demos }))) {
        // A tab stands between a candidate and what it is about.
        process.stdout.write(`${line.split('\t').map(terminalLine).join('\t')}\n`);
      }
    });
  return program;
}

const ONLY_ONE = 'name of the ChaosDemo (default: the only one of the namespace)';

/** Nobody waits longer for a key. */
const COMPLETE_WITHIN_MS = 3_000;

function say(line: string): void {
  process.stdout.write(`${terminalLine(line)}\n`);
}

function unique(): string {
  return randomBytes(3).toString('hex');
}

function newRequest(): string {
  return requestOf(Date.now(), unique());
}

function parseTimeout(written: string): number {
  const parsed = waitingTime.schema.safeParse(written);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Write ${waitingTime.write}.`);
}

function parsePort(written: string): number {
  const port = /^\d{1,5}$/.test(written) ? Number(written) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('Write a number from 1 to 65535.');
}
