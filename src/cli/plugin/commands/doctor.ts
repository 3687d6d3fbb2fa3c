import type { Command } from 'commander';
import type { Place } from '../connection.ts';
import { chooseName } from '../demos.ts';
import { doctor } from '../doctor/doctor.ts';
import { type CommandContext, clusterCommand, ONLY_ONE, print, withConnection } from './command.ts';

export function addDoctor(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'doctor',
    summary: 'Show why a ChaosDemo does not start, with the commands to fix it',
    examples: [
      'kubectl chaosdemo doctor demo -n ratelimiter',
      'kubectl chaosdemo doctor demo --operator-namespace chaos',
    ],
    notes: `Checks with your own rights, and changes nothing.

Exit status: 0 no problem found, 1 at least one problem, 2 the API server could not be queried. A line with ? is
a check that could not run; it does not affect the status.`,
  })
    .argument('[name]', ONLY_ONE)
    .option('--operator-namespace <name>', 'namespace of the operator', 'chaosdemo-system')
    .action(
      withConnection<Place & { operatorNamespace: string }>(
        context,
        async (connection, { operatorNamespace }, given) => {
          const { signal } = context;
          // Without the CRD there is nothing to choose from, and a missing CRD is a finding of its own.
          const name = given ?? (await chooseName(connection, given, signal).catch(() => 'demo'));
          return await doctor({ connection, name, system: operatorNamespace, print, signal });
        },
      ),
    );
}
