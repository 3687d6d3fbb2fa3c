import { RELEASE } from '../../../api/index.ts';
import { exitOf, findingLines } from '../doctor/finding.ts';
import { checkCrdVersion, checkOperator } from '../doctor/operator-checks.ts';
import { type ClusterCommand, OPERATOR_NAMESPACE, print } from './command.ts';

export const version: ClusterCommand<{ readonly operatorNamespace: string }> = {
  name: 'version',
  summary: 'Show the versions of this client, the operator and the CRD',
  examples: ['kubectl chaosdemo version', 'kubectl chaosdemo version --operator-namespace chaos'],
  notes: `Before 1.0, versions work together if only their patch versions differ.

Exit status: 0 they work together, 1 they might not, 2 one of them could not be read (a line with ?).`,
  options: [OPERATOR_NAMESPACE],
  async run({ connection, options, signal }) {
    const context = { ...connection, system: options.operatorNamespace, signal };
    const [[operator], crd] = await Promise.all([checkOperator(context), checkCrdVersion(context)]);
    const found = [{ check: 'Client', state: 'ok', message: RELEASE } as const, operator, crd];
    const findings = found.filter((finding) => finding !== undefined);
    for (const line of findingLines(findings)) print(line);
    return exitOf(findings);
  },
};
