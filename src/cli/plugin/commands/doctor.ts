import { examine } from '../doctor/doctor.ts';
import { exitOf, findingLines, summaryOf } from '../doctor/finding.ts';
import { type ClusterCommand, OPERATOR_NAMESPACE, print } from './command.ts';

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
  isNamed: true,
  options: [OPERATOR_NAMESPACE],
  async run({ connection, given, options, signal }) {
    const findings = await examine({ ...connection, system: options.operatorNamespace, signal }, given);
    for (const line of [...findingLines(findings), '', summaryOf(findings)]) print(line);
    return exitOf(findings);
  },
};
