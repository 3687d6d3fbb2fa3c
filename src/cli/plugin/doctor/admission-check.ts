/** The operator's own admission with the rights of the user, up to the first connection to Redis or to a pod. */
import { storeName } from '@chaosdemo/redis-faults';
import { listed } from '@chaosdemo/redis-faults/text';
import { shell } from '../../../api/index.ts';
import { createKubeCluster } from '../../../operator/adapters/kube-cluster.ts';
import { createSystemClock } from '../../../operator/adapters/system-clock.ts';
import { discover } from '../../../subjects/admission/discovery.ts';
import { ForbiddenError } from '../../../subjects/cluster.ts';
import { kindOf } from '../../../subjects/index.ts';
import { requireCapacity } from '../../../subjects/scenarios/capacity.ts';
import { requireReady } from '../../../subjects/targets/eligible-pods.ts';
import { orRefusal, Refusal } from '../../../subjects/targets/refusal.ts';
import { checked, type DemoCheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';

const IGNORE = (): void => undefined;
const NO_LOG = { debug: IGNORE, info: IGNORE, warn: IGNORE, error: IGNORE };

/** Which connections admission opens next: outside of the cluster, an address of a pod may lead to another server. */
const NOT_CHECKED =
  'not checked from here: whether Redis accepts the login and has no other clients, and whether the pods respond. A run checks that before its first fault';

/** The first obstacle to a run of this object, and what only the operator can check. */
export async function checkAdmission(context: DemoCheckContext): Promise<Finding[]> {
  const admission = await checked('Admission', context, async () => {
    const found = await orRefusal(context.namespace, async () => await admittedPart(context));
    return found instanceof Refusal ? refused(context, found) : found;
  });
  const connections: Finding = { check: 'Connections', state: 'note', message: NOT_CHECKED };
  return admission.state === 'ok' ? [admission, connections] : [admission];
}

/** @throws {Refusal} as admission does */
async function admittedPart(context: DemoCheckContext): Promise<Omit<Finding, 'check'>> {
  const { client, demo, namespace, signal } = context;
  const { spec } = demo;
  const cluster = createKubeCluster(client, createSystemClock(), NO_LOG);
  const kind = kindOf(spec);
  const part = kind.api.member;
  const target = await discover({ cluster, namespace, part, spec: kind.partOf(spec) }, signal);
  const { pods, redis } = target;
  requireReady(target, part);
  requireCapacity(kind, spec, { pods: pods.length });
  return { state: 'ok', message: `${listed(pods.map(({ name }) => name))}, with ${storeName(redis)}` };
}

function refused(context: DemoCheckContext, refusal: Refusal): Omit<Finding, 'check'> {
  const { cause, command, message, reason } = refusal;
  // The rights of the operator are a check of their own.
  if (cause instanceof ForbiddenError) throw cause.cause ?? cause;
  const text = command === undefined ? message : message.slice(0, -` kubectl ${command}`.length);
  return { state: 'wrong', message: text, fixCommands: commandsFor(context, refusal), reason };
}

/** The command of a refusal, for the cluster of the user; without one, a command that shows the objects. */
function commandsFor(context: DemoCheckContext, { command, reason }: Refusal): string[] {
  const { demo, kubectl, namespace } = context;
  const inNamespace = `${kubectl} ${shell`-n ${namespace}`}`;
  if (command !== undefined) return [`${inNamespace} ${command}`];
  if (reason.endsWith('AuthInvalid')) return [];
  if (reason === 'UnprovableSpec') return [`${inNamespace} ${shell`edit chaosdemo ${demo.metadata.name}`}`];
  if (reason === 'PodsNotEligible' || reason === 'Pending') return [describePods(context)];
  return [`${inNamespace} get services,pods --show-labels`];
}

function describePods({ demo, kubectl, namespace }: DemoCheckContext): string {
  const labels = Object.entries(kindOf(demo.spec).partOf(demo.spec).selector.matchLabels).map((pair) =>
    pair.join('='),
  );
  return `${kubectl} ${shell`-n ${namespace} describe pods -l ${labels.join(',')}`}`;
}
