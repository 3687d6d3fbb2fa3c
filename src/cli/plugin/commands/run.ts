import type { Command } from 'commander';
import { ANNOTATIONS } from '../../../api/index.ts';
import { applyDemo } from '../demos.ts';
import { namespaceOf, parseManifest, readManifestFile } from '../manifest.ts';
import {
  type CommandContext,
  clusterCommand,
  connected,
  newRequest,
  plainOption,
  say,
  timeoutOption,
  toVerdict,
  VERDICTS,
  type Waiting,
} from './command.ts';

export function addRun(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'run',
    summary: 'Apply a ChaosDemo, start a run of it, and show that to its end',
    examples: [
      'kubectl chaosdemo run -f manifests/samples/demo.yaml',
      'kubectl chaosdemo run -f gate.yaml --plain --timeout 20m',
    ],
    notes: `The file holds one ChaosDemo. It is applied server-side, with ${ANNOTATIONS.requestedAt}, so that each call is
a run of its own. Ctrl-C leaves the run on.\n\n${VERDICTS}`,
  })
    .addOption(timeoutOption())
    .addOption(plainOption())
    .requiredOption('-f, --filename <file>', 'YAML or JSON of one ChaosDemo; - for standard input')
    .action(
      connected<Waiting & { filename: string }>(context, async (connection, options) => {
        const { signal } = context;
        const manifest = parseManifest(options.filename, await readManifestFile(options.filename, signal));
        const namespace = namespaceOf(manifest, connection);
        const annotations = { ...manifest.metadata.annotations, [ANNOTATIONS.requestedAt]: newRequest() };
        const metadata = { ...manifest.metadata, namespace, annotations };
        const { name } = (await applyDemo(connection, { ...manifest, metadata }, signal)).metadata;
        say(`${namespace}/${name} applied`);
        return await toVerdict(context, { ...connection, namespace }, name, options);
      }),
    );
}
