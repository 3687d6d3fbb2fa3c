/**
 * From a Service to the pods of Redis behind it, or to those of its Sentinels. Pure. A pod is found by the Service's own selector and dialled by
 * its IP: a Service can point anywhere (ExternalName, hand-made endpoints), a pod of the namespace cannot.
 */
import type { Pod, Service } from '../../cluster.ts';
import { resolveContainerPort } from '../../targets/container-port.ts';
import { isAlive, isReady } from '../../targets/eligible-pods.ts';
import { formatLabelSelector } from '../../targets/label-selector.ts';
import { listed, Refusal } from '../../targets/refusal.ts';
import type { RedisTarget } from '../client/redis-target.ts';

/** What a Service of the spec is for, as messages name it. */
export interface ServiceUse {
  readonly server: 'Redis' | 'Sentinel' | 'fault proxy';
  /** The part of the spec that names it. */
  readonly field: string;
}

export const OF_REDIS: ServiceUse = { server: 'Redis', field: 'rateLimiter.redis' };
export const OF_SENTINELS: ServiceUse = { server: 'Sentinel', field: `${OF_REDIS.field}.sentinel` };
export const OF_FAULT_PROXY: ServiceUse = { server: 'fault proxy', field: `${OF_REDIS.field}.faultProxy` };

/** Masters of the largest Cluster that is paused, each with three replicas. */
const MOST_SERVERS = 64;

/** More Sentinels than anyone runs; each is queried at the same time. */
const MOST_SENTINELS = 16;

/** A pod, and where its server listens. */
export type RedisEndpoint = Pick<RedisTarget, 'podName' | 'host' | 'port'> & { readonly podUid: string };

/**
 * The label selector of the pods behind a Service.
 *
 * @throws {Refusal} RedisNotEligible for a Service that has none, or of type ExternalName.
 */
export function podSelectorOf(service: Service, { field, server }: ServiceUse = OF_REDIS): string {
  const name = service.metadata.name;
  if (service.spec?.type === 'ExternalName') {
    throw notEligible(
      `Service ${name} is of type ExternalName and leads out of the namespace: name a Service with a selector for the ${server} pod in ${field}.service${server === 'Redis' ? '; for a Redis outside of the cluster, see docs/topologies.md' : ''}`,
    );
  }
  const selector = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) {
    throw notEligible(
      `Service ${name} has no selector, so its endpoints may be anything: name a Service with a selector for the ${server} pod in ${field}.service`,
    );
  }
  try {
    return formatLabelSelector(selector);
  } catch (error) {
    throw notEligible(`the selector of Service ${name} matches no pod: ${(error as Error).message}`);
  }
}

/**
 * The Ready pods behind a port of a Service, sorted by name; several only if they are nodes of one Cluster, which only
 * Redis can show.
 *
 * @throws {Refusal} RedisNotFound if there is no such port or no Ready pod; RedisNotEligible if
 * there are more than {@link MOST_SERVERS}, or one is on the host network or lacks the port.
 */
export function resolveRedis(
  service: Service,
  port: number,
  pods: readonly Pod[],
): readonly [RedisEndpoint, ...RedisEndpoint[]] {
  const name = service.metadata.name;
  const endpointOf = endpointsOf(service, port, OF_REDIS);
  const alive = pods.filter(isAlive);
  const ready = alive.filter(isReady).toSorted(byName);
  const [first, ...others] = ready;
  if (first === undefined) {
    const waiting = alive.map(({ metadata }) => metadata.name);
    throw new Refusal(
      'RedisNotFound',
      waiting.length === 0
        ? `Service ${name} selects no pod: start Redis, or compare the selector of the Service with kubectl get pods --show-labels`
        : `no pod behind Service ${name} is Ready (${listed(waiting)}): see kubectl describe pod, and run again when it is`,
    );
  }
  if (ready.length > MOST_SERVERS) {
    throw notEligible(
      `Service ${name} selects ${ready.length} pods (${listed(ready.map(({ metadata }) => metadata.name))}), and at most ${MOST_SERVERS} are queried: name a Service that selects only the Redis that the rate limiter counts in`,
    );
  }
  return [endpointOf(first), ...others.map(endpointOf)];
}

function byName(a: Pod, b: Pod): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/**
 * All pods of Sentinels behind a port of a Service, sorted by name. One that is not Ready may watch, too.
 *
 * @throws {Refusal} RedisNotFound if there is no such port or no pod; RedisUnreachable if a pod is not Ready;
 * RedisNotEligible if there are more than {@link MOST_SENTINELS}, or one is on the host network or lacks the port.
 */
export function resolveSentinels(service: Service, port: number, pods: readonly Pod[]): RedisEndpoint[] {
  const name = service.metadata.name;
  const endpointOf = endpointsOf(service, port, OF_SENTINELS);
  const alive = pods.filter(isAlive).toSorted(byName);
  if (alive.length === 0) {
    throw new Refusal(
      'RedisNotFound',
      `Service ${name} selects no pod: name the Service of the Sentinels in ${OF_SENTINELS.field}.service`,
    );
  }
  if (alive.length > MOST_SENTINELS) {
    throw notEligible(
      `Service ${name} selects ${alive.length} pods, and at most ${MOST_SENTINELS} Sentinels are queried: name a Service that selects only them in ${OF_SENTINELS.field}.service`,
    );
  }
  const waiting = alive.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata.name);
  if (waiting.length > 0) {
    throw new Refusal(
      'RedisUnreachable',
      `of the Sentinels behind Service ${name}, ${listed(waiting)} ${waiting.length === 1 ? 'is' : 'are'} not Ready: see kubectl describe pod, and wait until all are`,
    );
  }
  return alive.map(endpointOf);
}

/**
 * The one Ready pod of a fault proxy.
 *
 * @throws {Refusal} RedisNotFound if there is no such port or no Ready pod; RedisNotEligible if there are several, or the
 * one is on the host network or lacks the port.
 */
export function resolveFaultProxy(service: Service, port: number, pods: readonly Pod[]): RedisEndpoint {
  const name = service.metadata.name;
  const endpointOf = endpointsOf(service, port, OF_FAULT_PROXY);
  const ready = pods.filter((pod) => isAlive(pod) && isReady(pod));
  const [pod] = ready;
  if (pod === undefined) {
    throw new Refusal(
      'RedisNotFound',
      `Service ${name} selects no Ready pod: start the fault proxy, or name its Service in ${OF_FAULT_PROXY.field}.service`,
    );
  }
  if (ready.length > 1) {
    throw notEligible(
      `Service ${name} selects ${ready.length} pods (${listed(ready.map(({ metadata }) => metadata.name))}), and a fault would reach the connections of one: run the fault proxy in one pod`,
    );
  }
  return endpointOf(pod);
}

/**
 * Where a pod listens behind a port of a Service. The function that it returns throws RedisNotEligible.
 * @throws {Refusal} RedisNotFound if there is no such port
 */
function endpointsOf(service: Service, port: number, use: ServiceUse): (pod: Pod) => RedisEndpoint {
  const targetPort = targetPortOf(service, port, use);
  return (pod) => endpointOf(pod, service.metadata.name, targetPort, use);
}

function endpointOf(
  pod: Pod,
  service: string,
  targetPort: number | string,
  { server }: ServiceUse,
): RedisEndpoint {
  if (pod.spec?.hostNetwork === true) {
    throw notEligible(
      `${pod.metadata.name} runs on the host network, where any program may hold the port: run ${server} without hostNetwork`,
    );
  }
  const resolved = resolveContainerPort(pod, targetPort);
  if (resolved === undefined) {
    throw notEligible(
      `Service ${service} sends to the port named "${targetPort}", which ${pod.metadata.name} does not have: give the container port that name, or set a number as targetPort`,
    );
  }
  const { name: podName, uid: podUid } = pod.metadata;
  return { podName, podUid, host: pod.status?.podIP ?? '', port: resolved.port };
}

function notEligible(why: string): Refusal {
  return new Refusal('RedisNotEligible', why);
}

/** The target of a Service port: a number or the name of a container port. */
function targetPortOf(service: Service, port: number, { field, server }: ServiceUse): number | string {
  const ports = service.spec?.ports ?? [];
  const entry = ports.find((candidate) => candidate.port === port && (candidate.protocol ?? 'TCP') === 'TCP');
  if (entry !== undefined) return entry.targetPort ?? entry.port;
  const numbers = ports.map((candidate) => String(candidate.port));
  throw new Refusal(
    'RedisNotFound',
    `Service ${service.metadata.name} has no TCP port ${port}: write ${numbers.length === 0 ? `the port of ${server}` : listed(numbers)} in ${field}.port`,
  );
}
