/** `run`, `wait` and `watch`: show a run. */
import { duration } from '@chaosdemo/settings/values';
import { Option } from 'commander';
import { ANNOTATIONS } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { namespaceOf, readManifest } from '../../manifest.ts';
import { parserOf } from '../../option-value.ts';
import { printVerdict, watchScreen } from '../../show-run.ts';
import { hasTerminal } from '../../view/screen.ts';
import { awaitVerdict, type Waiting } from '../await-verdict.ts';
import type { Place } from '../connection.ts';
import { applyDemo } from '../demos.ts';
import { type ClusterCommand, demoCommand, newRequest, print } from './command.ts';

const VERDICTS = `Exit status: 0 Succeeded, 1 Failed, 2 Errored, cannot start or no verdict in time, 3 Aborted,
64 wrong usage, 130 stopped by Ctrl-C.`;

/** Longer than the activeDeadline of the samples, 10 m. */
const DEFAULT_TIMEOUT = { milliseconds: 15 * 60_000, written: '15m' };
const TIMEOUT = new Option('--timeout <duration>', 'give up after so long')
  .default(DEFAULT_TIMEOUT.milliseconds, DEFAULT_TIMEOUT.written)
  .argParser(parserOf(duration('1s', '25h', '15m')));
const PLAIN = new Option('--plain', 'print lines, also on a terminal').default(
  !hasTerminal(),
  'only without one',
);

export const run: ClusterCommand<Waiting & Pick<Place, 'namespace'> & { readonly filename: string }> = {
  name: 'run',
  summary: 'Apply a ChaosDemo, start a run of it, and show that to its end',
  examples: [
    'kubectl chaosdemo run -f manifests/samples/demo.yaml',
    'kubectl chaosdemo run -f gate.yaml --plain --timeout 20m',
  ],
  notes: `The file holds one ChaosDemo. It is applied server-side, with ${ANNOTATIONS.requestedAt}, so that each call
starts a new run. Ctrl-C does not stop the run.\n\n${VERDICTS}`,
  options: [
    TIMEOUT,
    PLAIN,
    new Option(
      '-f, --filename <file>',
      'YAML or JSON of one ChaosDemo; - for standard input',
    ).makeOptionMandatory(),
  ],
  async run({ connection, options, signal }) {
    const manifest = await readManifest('-f', options.filename, signal);
    const namespace = namespaceOf(manifest, connection.namespace, options.namespace);
    const annotations = { ...manifest.metadata.annotations, [ANNOTATIONS.requestedAt]: newRequest() };
    const metadata = { ...manifest.metadata, namespace, annotations };
    const { name } = (await applyDemo(connection, { ...manifest, metadata }, signal)).metadata;
    print(`${namespace}/${name} applied`);
    return await awaitVerdict({ ...connection, namespace }, { name, print, signal }, options);
  },
};

export const wait = demoCommand<Waiting>({
  name: 'wait',
  summary: 'Wait until the run of a ChaosDemo has ended, or cannot start',
  examples: [
    'kubectl chaosdemo wait demo -n ratelimiter',
    'kubectl chaosdemo wait demo --timeout 20m && deploy',
  ],
  notes: VERDICTS,
  options: [TIMEOUT, PLAIN],
  run: async ({ connection, options, signal }, { metadata: { name } }) =>
    await awaitVerdict(connection, { name, print, signal }, options),
});

export const watch = demoCommand<Omit<Waiting, 'timeout'>>({
  name: 'watch',
  summary: 'Show a ChaosDemo live',
  examples: [
    'kubectl chaosdemo watch demo -n ratelimiter',
    'kubectl chaosdemo watch demo --plain | tee run.log',
  ],
  notes: `Chapters, countdown, health, results, and charts of what was measured. On a terminal it stays until you
press q; space continues with the next chapter if spec.pace.mode is Manual. As plain lines it ends with the run.
Without color: NO_COLOR=1.`,
  options: [PLAIN],
  async run({ connection, options, signal }, { metadata: { name } }) {
    if (options.plain) {
      await awaitVerdict(connection, { name, print, signal }, { ...options, timeout: Infinity });
      return EXIT.done;
    }
    const { client, namespace } = connection;
    const { demo } = await watchScreen({ client, namespace, name, print, signal });
    if (demo?.status?.run?.phase) await printVerdict({ client, print, signal }, demo);
    else if (demo?.status) print(`${demo.status.phase}: ${demo.status.message ?? ''}`);
    return EXIT.done;
  },
});
