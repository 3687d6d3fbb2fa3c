import type { Command } from 'commander';
import type { Place } from '../connection.ts';
import { chooseName } from '../demos.ts';
import { doctor } from '../doctor/doctor.ts';
import { type CommandContext, clusterCommand, connected, ONLY_ONE, say } from './command.ts';

export function addDoctor(program: Command, context: CommandContext): void {
  clusterCommand(program, {
    name: 'doctor',
    summary: 'Say why a ChaosDemo does not start, with the commands that mend it',
    examples: [
      'kubectl chaosdemo doctor demo -n ratelimiter',
      'kubectl chaosdemo doctor demo --operator-namespace chaos',
    ],
    notes: `Looks with your own rights, and changes nothing.

Exit status: 0 nothing was found that stands in the way of a run, 1 something was, 2 the API server could not be
asked. A line with ? could not be looked at, and counts for neither.`,
  })
    .argument('[name]', ONLY_ONE)
    .option('--operator-namespace <name>', 'namespace of the operator', 'chaosdemo-system')
    .action(
      connected<Place & { operatorNamespace: string }>(
        context,
        async (connection, { operatorNamespace }, given) => {
          const { signal } = context;
          // Without the CRD there is nothing to choose from, and that is what it is asked for.
          const name = given ?? (await chooseName(connection, given, signal).catch(() => 'demo'));
          return await doctor({ connection, name, system: operatorNamespace, say, signal });
        },
      ),
    );
}
