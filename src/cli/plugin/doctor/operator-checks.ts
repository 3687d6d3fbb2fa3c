/** Whether an operator serves this namespace: CRD, Deployment, leader, kill switch, label, rights. */

import { resourcePath, sleep } from '@chaosdemo/kube-runtime';
import { ENABLED_LABEL, GROUP, PLURAL, shell, VERSION } from '../../../api/index.ts';
import { stops } from '../../../operator/adapters/kill-switch.ts';
import { type CheckContext, checked, read } from './check-context.ts';
import type { Finding } from './finding.ts';

/** Names of the installed operator; its flags cannot change them. */
const OPERATOR = 'chaosdemo-operator';
const TARGET_ROLE = 'chaosdemo-target';
const KILL_SWITCH = 'chaosdemo-kill-switch';
/** The namespace that the manifests install it in. */
const SYSTEM = 'chaosdemo-system';
const INSTALL = 'apply --server-side -k manifests/operator';

/** A leader renews its lease every second or so; without a change for this long, there is no leader. */
const LEASE_TIMEOUT_MS = 6_000;

interface Deployment {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: {
        readonly serviceAccountName?: string;
        readonly containers?: readonly { readonly args?: readonly string[] }[];
      };
    };
  };
  readonly status?: { readonly availableReplicas?: number };
}

interface Lease {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

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

/**
 * Whether an operator leads. If there is one, also whether its kill switch is off and what it may read: a grant to an
 * account that is not the operator's helps nobody.
 */
export async function checkOperator(context: CheckContext): Promise<Finding[]> {
  let account: string | undefined;
  const operator = await checked('Operator', context, async () => {
    const lease = await readLease(context);
    const holder = lease?.spec?.holderIdentity ?? '';
    const leads = holder !== '' && (await isRenewed(context, lease));
    const [deployment] = await (leads ? deployments(context).catch(() => []) : deployments(context));
    if (leads || deployment) account = deployment?.spec?.template?.spec?.serviceAccountName ?? OPERATOR;
    if (leads) return whatLeads(context, holder, deployment);
    return deployment ? whyNoneLeads(context, deployment) : await whereItIs(context, holder);
  });
  if (operator.state === 'wrong' && account === undefined) return [operator];
  return [operator, ...(await Promise.all([checkKillSwitch(context), checkRights(context, account)]))];
}

function whatLeads(
  { kubectl, namespace, system }: CheckContext,
  holder: string,
  deployment: Deployment | undefined,
): Omit<Finding, 'check'> {
  const watched = watchedNamespaces(deployment);
  if (watched.length === 0 || watched.includes(namespace)) {
    return { state: 'ok', message: `${holder} leads in namespace ${system}` };
  }
  return {
    state: 'wrong',
    message: `the operator watches only the namespaces ${watched.join(', ')} (--watch-namespaces). Add ${namespace}:`,
    fixCommands: [`${kubectl} ${shell`-n ${system} edit deployment ${OPERATOR}`}`],
  };
}

function whyNoneLeads(
  { kubectl, system }: CheckContext,
  { metadata: { name }, spec, status }: Deployment,
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
async function whereItIs(context: CheckContext, holder: string): Promise<Omit<Finding, 'check'>> {
  const { system } = context;
  const list = await read<{ items: { metadata: { namespace: string } }[] }>(context, resourcePath(LEASES), {
    query: { fieldSelector: `metadata.name=${OPERATOR}`, limit: 5 },
  }).catch(() => undefined);
  const others = (list?.items ?? [])
    .map(({ metadata }) => metadata.namespace)
    .filter((namespace) => namespace !== system);
  const what =
    holder === ''
      ? `no operator is in namespace ${system}`
      : `no process renews the Lease ${OPERATOR} of namespace ${system}, which ${holder} held, and there is no Deployment`;
  const fixCommands = installCommands(context);
  if (others.length > 0 || fixCommands.length === 0) {
    const where = others.length > 0 ? `one has a Lease in ${others.join(', ')}` : 'name its namespace';
    return { state: 'wrong', message: `${what}; ${where}: --operator-namespace ${others[0] ?? 'NAMESPACE'}` };
  }
  return {
    state: 'wrong',
    message: `${what}. If it is in another namespace, name that by --operator-namespace. Otherwise, in a clone of the project:`,
    fixCommands,
  };
}

const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

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

async function deployments(context: CheckContext): Promise<readonly Deployment[]> {
  const type = { group: 'apps', version: 'v1', plural: 'deployments' };
  const list = await read<{ items: Deployment[] }>(
    context,
    resourcePath(type, { namespace: context.system }),
    {
      query: { labelSelector: `app.kubernetes.io/name=${OPERATOR}`, limit: 5 },
    },
  );
  return list?.items ?? [];
}

/** None: all of them, or unknown. */
function watchedNamespaces(deployment: Deployment | undefined): string[] {
  const args = deployment?.spec?.template?.spec?.containers?.flatMap((container) => container.args ?? []);
  const flag = args?.find((arg) => arg.startsWith('--watch-namespaces='));
  return (flag?.split('=')[1] ?? '').split(',').filter((name) => name !== '');
}

/** Whether the kill switch stops all runs. */
async function checkKillSwitch(context: CheckContext): Promise<Finding> {
  const { kubectl, system } = context;
  return await checked('Kill switch', context, async () => {
    const type = { group: '', version: 'v1', plural: 'configmaps' };
    const path = resourcePath(type, { namespace: system, name: KILL_SWITCH });
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

/** Checks that the namespace is enabled for tests. */
export async function checkNamespace(context: CheckContext): Promise<Finding> {
  const { kubectl, namespace } = context;
  return await checked('Namespace', context, async () => {
    const path = resourcePath({ group: '', version: 'v1', plural: 'namespaces' }, { name: namespace });
    const found = await read<{ metadata: { labels?: Record<string, string> } }>(context, path);
    if (found?.metadata.labels?.[ENABLED_LABEL] === 'true') {
      return { state: 'ok', message: `${namespace} carries the label ${ENABLED_LABEL}=true` };
    }
    return {
      state: 'wrong',
      message: `${namespace} lacks the label ${ENABLED_LABEL}=true, by which it lets its Redis be paused`,
      fixCommands: [`${kubectl} ${shell`label namespace ${namespace} ${ENABLED_LABEL}=true --overwrite`}`],
      reason: 'NamespaceNotEnabled',
    };
  });
}

const UPDATE_ROLE = `Bring the ClusterRole ${TARGET_ROLE} up to date, with helm upgrade or with manifests/operator in a clone of the project:`;

/** The manifests install into one namespace: for an operator in another one, they would install a second. */
function installCommands({ kubectl, system }: CheckContext): string[] {
  return system === SYSTEM ? [`${kubectl} ${INSTALL}`] : [];
}

/** A permission that the operator needs. */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** Of manifests/operator/target-cluster-role.yaml, bound in the namespace. */
const IN_NAMESPACE: readonly Right[] = [
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'get', group: '', resource: 'services' },
  { verb: 'get', group: '', resource: 'secrets' },
  ...['get', 'create', 'update', 'delete'].map((verb) => ({
    verb,
    group: 'coordination.k8s.io',
    resource: 'leases',
  })),
];

/** Of the same role; without them runs work, but leave no evidence. */
const FOR_EVIDENCE: readonly Right[] = ['get', 'create', 'patch', 'delete'].map((verb) => ({
  verb,
  group: '',
  resource: 'configmaps',
}));

/**
 * Whether the operator may read what it tests.
 * @param found the ServiceAccount of an operator that was found; without one, no command changes a grant
 */
async function checkRights(context: CheckContext, found: string | undefined): Promise<Finding> {
  const { kubectl, namespace, system } = context;
  return await checked('Rights', context, async () => {
    const account = found ?? OPERATOR;
    const user = `system:serviceaccount:${system}:${account}`;
    const [missing, forEvidence] = await Promise.all([
      missingRights(context, user, IN_NAMESPACE),
      missingRights(context, user, FOR_EVIDENCE),
    ]);
    if (missing.length === 0 && forEvidence.length === 0)
      return { state: 'ok', message: `${user} has what it needs in namespace ${namespace}` };
    if (missing.length === 0) {
      return {
        state: 'note',
        message: `${user} may not ${forEvidence.join(', ')} in namespace ${namespace}: runs continue without keeping their evidence. ${UPDATE_ROLE}`,
        fixCommands: found === undefined ? [] : installCommands(context),
        reason: 'PermissionDenied',
      };
    }
    const fixCommands = found === undefined ? [] : await bindingCommands(context, found);
    const clone = fixCommands.some((command) => command.includes(INSTALL)) ? `. ${UPDATE_ROLE}` : '';
    return {
      state: 'wrong',
      message: `${user} may not ${missing.join(', ')} in namespace ${namespace}${clone}`,
      fixCommands,
      reason: 'PermissionDenied',
    };
  }).then((finding) =>
    finding.state === 'unknown'
      ? {
          ...finding,
          message: `${finding.message}. Ask a person with the permission: ${kubectl} ${shell`auth can-i list pods -n ${namespace} ${`--as=system:serviceaccount:${system}:${OPERATOR}`}`}`,
        }
      : finding,
  );
}

interface RoleBinding {
  readonly roleRef?: { readonly kind?: string; readonly name?: string };
  readonly subjects?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  }[];
}

/**
 * If the role is already bound correctly, it is from an older version. A binding of the same name gets the account in
 * addition, because another operator may use it. It is deleted only if it is for another role, which cannot be changed.
 */
async function bindingCommands(context: CheckContext, account: string): Promise<string[]> {
  const { kubectl, namespace, system } = context;
  const group = 'rbac.authorization.k8s.io';
  const of = <T>(plural: string, where: { namespace?: string; name: string }): Promise<T | undefined> =>
    read<T>(context, resourcePath({ group, version: 'v1', plural }, where)).catch(() => undefined);
  const [role, binding] = await Promise.all([
    of<object>('clusterroles', { name: TARGET_ROLE }),
    of<RoleBinding>('rolebindings', { namespace, name: TARGET_ROLE }),
  ]);
  const isOfRole = binding?.roleRef?.kind === 'ClusterRole' && binding.roleRef.name === TARGET_ROLE;
  const isBound = binding?.subjects?.some(
    ({ kind, name, namespace: of }) => kind === 'ServiceAccount' && name === account && of === system,
  );
  if (isOfRole && isBound) return installCommands(context);
  const inNamespace = `${kubectl} ${shell`-n ${namespace}`}`;
  const subject = shell`--serviceaccount=${`${system}:${account}`}`;
  return [
    ...(role ? [] : installCommands(context)),
    ...(isOfRole
      ? [`${inNamespace} set subject rolebinding ${TARGET_ROLE} ${subject}`]
      : [
          ...(binding ? [`${inNamespace} delete rolebinding ${TARGET_ROLE}`] : []),
          `${inNamespace} create rolebinding ${TARGET_ROLE} --clusterrole=${TARGET_ROLE} ${subject}`,
        ]),
  ];
}

/** The rights that the user lacks, in words. */
async function missingRights(
  context: CheckContext,
  user: string,
  rights: readonly Right[],
): Promise<string[]> {
  const allowed = await Promise.all(rights.map((right) => isAllowed(context, user, right)));
  return rights.filter((_, i) => !allowed[i]).map(({ resource, verb }) => `${verb} ${resource}`);
}

async function isAllowed(
  context: CheckContext,
  user: string,
  { group, resource, verb }: Right,
): Promise<boolean> {
  const { namespace, system } = context;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${system}`, 'system:authenticated'];
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes: { namespace, verb, group, resource } },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const answer = await read<{ status: { allowed: boolean } }>(context, path, { method: 'POST', body });
  return answer?.status.allowed ?? false;
}
