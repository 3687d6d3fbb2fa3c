import { doctor as examine } from '../doctor/doctor.ts';
import { type ClusterCommand, ONLY_ONE, OPERATOR_NAMESPACE, print } from './command.ts';

export const doctor: ClusterCommand<{ readonly operatorNamespace: string }> = {
  name: 'doctor',
  summary: 'Show why a ChaosDemo does not start or has failed, with the commands to fix it',
  examples: [
    'kubectl chaosdemo doctor demo -n ratelimiter',
    'kubectl chaosdemo doctor demo --operator-namespace chaos',
  ],
  notes: `Checks with your own rights, and changes nothing.

Exit status: 0 no problem found, 1 at least one problem, 2 no problem found, but a check could not run (a line
with ?) or the API server did not respond.`,
  argument: ONLY_ONE,
  options: [OPERATOR_NAMESPACE],
  run: async ({ connection, given, options, signal }) =>
    await examine({ connection, name: given, system: options.operatorNamespace, print, signal }),
};
