/**
 * From a Service to the pods of Redis behind it, or to those of its Sentinels. Pure. A pod is found by the Service's own selector and dialled by
 * its IP: a Service can point anywhere (ExternalName, hand-made endpoints), a pod of the namespace cannot.
 */
import { each, type PerServer, type RedisTarget } from '@chaosdemo/redis-faults';
import { listed } from '@chaosdemo/redis-faults/text';
import type { Pod, Service } from '../../cluster.ts';
import { isAlive, isReady, resolveContainerPort } from '../../targets/eligible-pods.ts';
import { formatLabelSelector } from '../../targets/label-selector.ts';
import { Refusal } from '../../targets/refusal.ts';

/** What a Service of the spec is for, as messages name it, and which of its pods are used. */
export interface ServiceUse {
  readonly server: 'Redis' | 'Sentinel' | 'fault proxy';
  /** The part of the spec that names it. */
  readonly field: string;
  /** More pods are not accepted. */
  readonly most: number;
  /** Why it has no more, and what to do. */
  readonly because: string;
}

/** The Services that a part of the spec names. @param part "rateLimiter" */
export function usesIn(part: string) {
  const field = `${part}.redis`;
  const redis: ServiceUse = {
    server: 'Redis',
    field,
    // Masters of the largest Cluster that is paused, each with three replicas.
    most: 64,
    because: 'name a Service that selects only the Redis that the selected pods use',
  };
  const sentinels: ServiceUse = {
    server: 'Sentinel',
    field: `${field}.sentinel`,
    // More than anyone runs; each is queried at the same time.
    most: 16,
    because: `name a Service that selects only the Sentinels in ${field}.sentinel.serviceName`,
  };
  const faultProxy: ServiceUse = {
    server: 'fault proxy',
    field: `${field}.faultProxy`,
    most: 1,
    because: 'a fault would reach the connections of one, so run the fault proxy in one pod',
  };
  return { redis, sentinels, faultProxy };
}

/** A pod, and where its server listens. */
export type RedisEndpoint = Pick<RedisTarget, 'podName' | 'host' | 'port'> & { readonly podUid: string };

/**
 * The label selector of the pods behind a Service.
 *
 * @throws {Refusal} RedisNotEligible for a Service that has none, or of type ExternalName.
 */
export function podSelectorOf(service: Service, { field, server }: ServiceUse): string {
  const name = service.metadata.name;
  if (service.spec?.type === 'ExternalName') {
    throw notEligible(
      `Service ${name} is of type ExternalName and leads out of the namespace: name a Service with a selector for the ${server} pod in ${field}.serviceName${server === 'Redis' ? '. For a Redis outside of the cluster, see docs/fault-proxy.md' : ''}`,
    );
  }
  const selector = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) {
    throw notEligible(
      `Service ${name} has no selector, so its endpoints may be anything: name a Service with a selector for the ${server} pod in ${field}.serviceName`,
    );
  }
  try {
    return formatLabelSelector(selector);
  } catch (error) {
    throw notEligible(`the selector of Service ${name} matches no pod: ${(error as Error).message}`);
  }
}

/**
 * The Ready pods behind a port of a Service, sorted by name. Of Redis, several are accepted only if they are nodes of one
 * Cluster, which only Redis can show.
 *
 * @throws {Refusal} RedisNotFound if there is no such port or no Ready pod; RedisUnreachable if a Sentinel is not Ready;
 * RedisNotEligible if there are too many, or one is on the host network or lacks the port.
 */
export function resolvePods(
  service: Service,
  port: number,
  pods: readonly Pod[],
  use: ServiceUse,
): PerServer<RedisEndpoint> {
  const { name } = service.metadata;
  const { because, field, most, server } = use;
  const targetPort = targetPortOf(service, port, use);
  const alive = pods.filter(isAlive).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const [ready, waiting] = [alive.filter(isReady), alive.filter((pod) => !isReady(pod))];
  const [first, ...others] = ready;
  if (alive.length === 0) {
    throw new Refusal(
      'RedisNotFound',
      `Service ${name} selects no pod: start ${server} pods, or compare the selector of the Service in ${field}.serviceName with kubectl get pods --show-labels`,
    );
  }
  // One that is not Ready may watch, too, and its settings are unknown.
  if (first === undefined || (server === 'Sentinel' && waiting.length > 0)) {
    throw new Refusal(
      first === undefined ? 'RedisNotFound' : 'RedisUnreachable',
      `behind Service ${name}, ${listed(waiting.map(({ metadata }) => metadata.name))} ${waiting.length === 1 ? 'is' : 'are'} not Ready: see kubectl describe pod, and run again when all are`,
    );
  }
  if (ready.length > most) {
    throw notEligible(
      `Service ${name} selects ${ready.length} pods (${listed(ready.map(({ metadata }) => metadata.name))}). At most ${most} ${most === 1 ? 'is' : 'are'} used: ${because}`,
    );
  }
  return each([first, ...others], (pod) => endpointOf(pod, name, targetPort, use));
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
