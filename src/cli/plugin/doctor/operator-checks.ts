/** Whether an operator can run ChaosDemos: CRD, Deployment, leader, version, kill switch. */

import { corePath, LEASES, type Lease, resourcePath, sleep } from '@chaosdemo/kube-runtime';
import type { V1Deployment } from '@kubernetes/client-node';
import { GROUP, PLURAL, RELEASE, RELEASE_ANNOTATION, shell, VERSION, worksWith } from '../../../api/index.ts';
import { KILL_SWITCH, stops } from '../../../operator/adapters/kill-switch.ts';
import { type CheckContext, checked, read } from './check-context.ts';
import type { Finding } from './finding.ts';

/** Name of the installed operator; its flags cannot change it. */
const OPERATOR = 'chaosdemo-operator';
/** The namespace that the manifests install it in. */
const SYSTEM = 'chaosdemo-system';
const INSTALL = 'apply --server-side -k manifests/operator';

/** A leader renews its lease every second or so; without a change for this long, there is no leader. */
const LEASE_TIMEOUT_MS = 6_000;

/** Checks that the API server answers, and serves ChaosDemos. */
export async function checkCrd(context: CheckContext): Promise<Finding> {
  return await checked('CRD', context, async () => {
    const found = await read<object>(context, `/apis/${GROUP}/${VERSION}`);
    return found
      ? { state: 'ok', message: `${PLURAL}.${GROUP} is served as ${VERSION}` }
      : {
          state: 'wrong',
          message: `the API server serves no ${PLURAL}.${GROUP} of ${VERSION}. In a clone of the project:`,
          fixCommands: [`${context.kubectl} ${INSTALL}`],
        };
  });
}

/** Whether an operator leads. If one does, also whether its kill switch is off. */
export async function checkOperator(context: CheckContext): Promise<Finding[]> {
  const operator = await checked('Operator', context, async () => {
    const { leads, ...leader } = await findLeader(context);
    if (leads) return whatLeads(context, leader);
    const [deployment] = await deployments(context);
    return deployment ? whyNoneLeads(context, deployment) : whereItIs(context, leader.holder);
  });
  return operator.state === 'wrong' ? [operator] : [operator, await checkKillSwitch(context)];
}

function whatLeads({ system }: CheckContext, { holder, version }: Leader): Omit<Finding, 'check'> {
  const message = `${holder} of version ${version ?? 'unknown'} leads in namespace ${system}`;
  const { message: skew, state } = compared(version);
  return state === 'wrong'
    ? { state, message: `${message}, which ${skew}. Install the client of that version` }
    : { state: 'ok', message };
}

/** Whether the CRD is of a version that works with this client. */
export async function checkCrdVersion(context: CheckContext): Promise<Finding> {
  return await checked('CRD', context, async () => {
    const type = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    const path = resourcePath(type, { name: `${PLURAL}.${GROUP}` });
    const found = await read<{ metadata: { annotations?: Readonly<Record<string, string>> } }>(context, path);
    if (!found) return { state: 'wrong', message: `the API server has no ${PLURAL}.${GROUP}` };
    const version = found.metadata.annotations?.[RELEASE_ANNOTATION];
    const { message, state } = compared(version);
    return {
      state,
      message: state === 'wrong' ? `${version} ${message}. Apply the CRD of ${RELEASE}` : message,
    };
  });
}

function compared(version: string | undefined): Omit<Finding, 'check'> {
  if (version === undefined) return { state: 'unknown', message: 'it does not state its version' };
  if (worksWith(version, RELEASE)) return { state: 'ok', message: version };
  return { state: 'wrong', message: `might not work with this client of ${RELEASE}` };
}

function whyNoneLeads(
  { kubectl, system }: CheckContext,
  { metadata: { name = OPERATOR } = {}, spec, status }: V1Deployment,
): Omit<Finding, 'check'> {
  if (spec?.replicas === 0) {
    return {
      state: 'wrong',
      message: `Deployment ${name} of namespace ${system} has no replicas`,
      fixCommands: [`${kubectl} ${shell`-n ${system} scale deployment ${name} --replicas=2`}`],
    };
  }
  const available = status?.availableReplicas ?? 0;
  return {
    state: 'wrong',
    message: `no operator leads: ${available} of ${spec?.replicas ?? 1} replicas of Deployment ${name} are available, and no process renews the Lease ${OPERATOR}. See why, then restart it:`,
    fixCommands: [
      `${kubectl} ${shell`-n ${system} logs deployment/${name} --tail=20`}`,
      `${kubectl} ${shell`-n ${system} rollout restart deployment/${name}`}`,
    ],
  };
}

/** There is no operator in its namespace. One in another namespace must not get a second one next to it. */
function whereItIs({ kubectl, system }: CheckContext, holder: string): Omit<Finding, 'check'> {
  const what =
    holder === ''
      ? `no operator is in namespace ${system}`
      : `no process renews the Lease ${OPERATOR} of namespace ${system}, which ${holder} held, and there is no Deployment`;
  const message = `${what}. If it is in another namespace, name that by --operator-namespace`;
  // The manifests would install a second one.
  if (system !== SYSTEM) return { state: 'wrong', message };
  return {
    state: 'wrong',
    message: `${message}. Otherwise, in a clone of the project:`,
    fixCommands: [`${kubectl} ${INSTALL}`],
  };
}

/** The holder of the Lease ('' if it has none), and the version that it wrote. */
interface Leader {
  readonly holder: string;
  readonly version: string | undefined;
}

async function findLeader(context: CheckContext): Promise<Leader & { readonly leads: boolean }> {
  const lease = await readLease(context);
  const holder = lease?.spec?.holderIdentity ?? '';
  const leads = holder !== '' && (await isRenewed(context, lease));
  return { holder, leads, version: lease?.metadata?.annotations?.[RELEASE_ANNOTATION] };
}

function readLease(context: CheckContext): Promise<Lease | undefined> {
  return read<Lease>(context, resourcePath(LEASES, { namespace: context.system, name: OPERATOR }));
}

/**
 * Whether the lease is being renewed: it is seen to change. Its age is less reliable: clocks differ, and a leader that
 * just died leaves a fresh one behind.
 */
async function isRenewed(context: CheckContext, lease: Lease | undefined): Promise<boolean> {
  const { leaseDurationSeconds = 4, renewTime } = lease?.spec ?? {};
  const deadline = performance.now() + Math.max(LEASE_TIMEOUT_MS, leaseDurationSeconds * 1500);
  while (performance.now() < deadline) {
    await sleep(300, context.signal);
    const now = (await readLease(context))?.spec?.renewTime;
    if (now !== undefined && now !== renewTime) return true;
  }
  return false;
}

async function deployments(context: CheckContext): Promise<readonly V1Deployment[]> {
  const type = { group: 'apps', version: 'v1', plural: 'deployments' };
  const list = await read<{ items: V1Deployment[] }>(
    context,
    resourcePath(type, { namespace: context.system }),
    {
      query: { labelSelector: `app.kubernetes.io/name=${OPERATOR}`, limit: 5 },
    },
  );
  return list?.items ?? [];
}

/** Whether the kill switch stops all runs. */
async function checkKillSwitch(context: CheckContext): Promise<Finding> {
  const { kubectl, system } = context;
  return await checked('Kill switch', context, async () => {
    const path = corePath('configmaps', { namespace: system, name: KILL_SWITCH });
    const found = await read<{ data?: Record<string, string> }>(context, path);
    if (!stops(found?.data)) return { state: 'ok', message: 'off' };
    return {
      state: 'wrong',
      message: `the ConfigMap ${KILL_SWITCH} of namespace ${system} stops every run. Find out why before you delete it:`,
      fixCommands: [`${kubectl} ${shell`-n ${system} delete configmap ${KILL_SWITCH}`}`],
      reason: 'KillSwitch',
    };
  });
}
