/** The versions of client, operator and CRD, and whether they work together. */
import { resourcePath } from '@chaosdemo/kube-runtime';
import { GROUP, PLURAL, RELEASE, RELEASE_ANNOTATION, worksWith } from '../../../api/index.ts';
import { type CheckContext, checked, read } from './check-context.ts';
import type { Finding } from './finding.ts';
import { findLeader } from './operator-checks.ts';

/** One finding each; the operator is compared with this client, and the CRD with the operator if one leads. */
export async function checkVersions(context: CheckContext): Promise<Finding[]> {
  let reference = RELEASE;
  const operator = await checked('Operator', context, async () => {
    const { holder, leads, version } = await findLeader(context);
    if (!leads) return { state: 'wrong', message: `no operator leads in namespace ${context.system}` };
    reference = version ?? reference;
    const { message, state } = compared(version, RELEASE, 'Install the client of that version');
    return { state, message: `${message}. ${holder} leads in namespace ${context.system}` };
  });
  const crd = await checked('CRD', context, async () => {
    const type = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    const found = await read<{ metadata: { annotations?: Readonly<Record<string, string>> } }>(
      context,
      resourcePath(type, { name: `${PLURAL}.${GROUP}` }),
    );
    if (!found) return { state: 'wrong', message: `the API server has no ${PLURAL}.${GROUP}` };
    const version = found.metadata.annotations?.[RELEASE_ANNOTATION];
    return compared(version, reference, `Apply the CRD of ${reference}`);
  });
  return [{ check: 'Client', state: 'ok', message: RELEASE }, operator, crd];
}

function compared(version: string | undefined, other: string, fix: string): Omit<Finding, 'check'> {
  if (version === undefined) return { state: 'unknown', message: 'it does not state its version' };
  if (worksWith(version, other)) return { state: 'ok', message: version };
  return { state: 'wrong', message: `${version}, which might not work with ${other}. ${fix}` };
}
