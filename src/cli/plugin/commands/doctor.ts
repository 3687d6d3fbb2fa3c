import type { Command } from 'commander';
import type { Place } from '../connection.ts';
import { doctor } from '../doctor/doctor.ts';
import {
  type CommandContext,
  clusterCommand,
  ONLY_ONE,
  operatorNamespaceOption,
  print,
  withConnection,
} from './command.ts';

export function addDoctor(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'doctor',
    summary: 'Show why a ChaosDemo does not start or has failed, with the commands to fix it',
    examples: [
      'kubectl chaosdemo doctor demo -n ratelimiter',
      'kubectl chaosdemo doctor demo --operator-namespace chaos',
    ],
    notes: `Checks with your own rights, and changes nothing.

Exit status: 0 no problem found, 1 at least one problem, 2 no problem found, but a check could not run (a line
with ?) or the API server did not respond.`,
  })
    .argument('[name]', ONLY_ONE)
    .addOption(operatorNamespaceOption())
    .action(
      withConnection<Place & { operatorNamespace: string }>(
        context,
        async (connection, { operatorNamespace }, given) => {
          const { signal } = context;
          return await doctor({ connection, name: given, system: operatorNamespace, print, signal });
        },
      ),
    );
}
