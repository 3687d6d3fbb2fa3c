import type { Command } from 'commander';
import type { Place } from '../connection.ts';
import { exitOf, findingLines } from '../doctor/finding.ts';
import { checkVersions } from '../doctor/version-checks.ts';
import {
  type CommandContext,
  clusterCommand,
  operatorNamespaceOption,
  print,
  withConnection,
} from './command.ts';

export function addVersion(program: Command, { onExit, signal }: CommandContext): void {
  clusterCommand(program, {
    name: 'version',
    summary: 'Show the versions of this client, the operator and the CRD',
    examples: ['kubectl chaosdemo version', 'kubectl chaosdemo version --operator-namespace chaos'],
    notes: `Before 1.0, versions work together if only their patch versions differ.

Exit status: 0 they work together, 1 they might not, 2 one of them could not be read (a line with ?).`,
  })
    .addOption(operatorNamespaceOption())
    .action(
      withConnection<Place & { operatorNamespace: string }>(
        { onExit, signal },
        async ({ client, kubectl, namespace }, { operatorNamespace: system }) => {
          const findings = await checkVersions({ client, kubectl, namespace, system, signal });
          for (const line of findingLines(findings)) print(line);
          return exitOf(findings);
        },
      ),
    );
}
