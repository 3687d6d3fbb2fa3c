/** `run`, `wait` and `watch`: show a run. */
import type { Command } from 'commander';
import { ANNOTATIONS } from '../../../api/index.ts';
import { EXIT } from '../../exit-status.ts';
import { namespaceOf, readManifest } from '../../manifest.ts';
import { printVerdict, watchScreen } from '../../show-run.ts';
import { awaitVerdict, type Waiting } from '../await-verdict.ts';
import type { Place } from '../connection.ts';
import { applyDemo, existingDemo } from '../demos.ts';
import {
  type CommandContext,
  clusterCommand,
  newRequest,
  ONLY_ONE,
  plainOption,
  print,
  timeoutOption,
  VERDICTS,
  verboseOption,
  withConnection,
} from './command.ts';

export function addRun(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'run',
    summary: 'Apply a ChaosDemo, start a run of it, and show that to its end',
    examples: [
      'kubectl chaosdemo run -f manifests/samples/demo.yaml',
      'kubectl chaosdemo run -f gate.yaml --plain --timeout 20m',
    ],
    notes: `The file holds one ChaosDemo. It is applied server-side, with ${ANNOTATIONS.requestedAt}, so that each call
starts a new run. Ctrl-C does not stop the run.\n\n${VERDICTS}`,
  })
    .addOption(timeoutOption())
    .addOption(plainOption())
    .addOption(verboseOption())
    .requiredOption('-f, --filename <file>', 'YAML or JSON of one ChaosDemo; - for standard input')
    .action(
      withConnection<Place & Waiting & { filename: string }>(context, async (connection, options) => {
        const { signal } = context;
        const manifest = await readManifest('-f', options.filename, signal);
        const namespace = namespaceOf(manifest, connection);
        const annotations = { ...manifest.metadata.annotations, [ANNOTATIONS.requestedAt]: newRequest() };
        const metadata = { ...manifest.metadata, namespace, annotations };
        const { name } = (await applyDemo(connection, { ...manifest, metadata }, signal)).metadata;
        print(`${namespace}/${name} applied`);
        return await awaitVerdict({ ...connection, namespace }, { name, print, signal }, options);
      }),
    );
}

export function addWait(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'wait',
    summary: 'Wait until the run of a ChaosDemo has ended, or cannot start',
    examples: [
      'kubectl chaosdemo wait demo -n ratelimiter',
      'kubectl chaosdemo wait demo --timeout 20m && deploy',
    ],
    notes: VERDICTS,
  })
    .addOption(timeoutOption())
    .addOption(plainOption())
    .addOption(verboseOption())
    .argument('[name]', ONLY_ONE)
    .action(
      withConnection<Place & Waiting>(context, async (connection, options, given) => {
        const { signal } = context;
        const { name } = (await existingDemo(connection, given, signal)).metadata;
        return await awaitVerdict(connection, { name, print, signal }, options);
      }),
    );
}

export function addWatch(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'watch',
    summary: 'Show a ChaosDemo live',
    examples: [
      'kubectl chaosdemo watch demo -n ratelimiter',
      'kubectl chaosdemo watch demo --plain | tee run.log',
    ],
    notes: `Chapters, countdown, health, results, and charts of what was measured. On a terminal it stays until you
press q; space continues with the next chapter if spec.pace.mode is Manual. As plain lines it ends with the run.
Without color: NO_COLOR=1.`,
  })
    .addOption(plainOption())
    .addOption(verboseOption())
    .argument('[name]', ONLY_ONE)
    .action(
      withConnection<Place & { plain: boolean; verbose?: boolean }>(
        context,
        async (connection, { plain, verbose = false }, given) => {
          const { signal } = context;
          const { name } = (await existingDemo(connection, given, signal)).metadata;
          const { client, namespace } = connection;
          if (plain) {
            await awaitVerdict(connection, { name, print, signal }, { plain, verbose, timeout: Infinity });
            return EXIT.done;
          }
          const { demo } = await watchScreen({ client, namespace, name, print, signal });
          // The terminal is empty after the screen.
          if (demo?.status?.run?.phase) await printVerdict({ client, print, signal }, demo, verbose);
          else if (demo?.status) print(`${demo.status.phase}: ${demo.status.message ?? ''}`);
          return EXIT.done;
        },
      ),
    );
}
