/**
 * From a Service to the one pod of Redis behind it. Pure. The pod is found by the Service's own selector and dialled by
 * its IP: a Service can point anywhere (ExternalName, hand-made endpoints), a pod of the namespace cannot.
 */
import type { Pod, Service } from '../../cluster.ts';
import { resolveContainerPort } from '../../targets/container-port.ts';
import { isAlive, isReady } from '../../targets/eligible-pods.ts';
import { formatLabelSelector } from '../../targets/label-selector.ts';
import { listed, Refusal } from '../../targets/refusal.ts';
import type { RedisTarget } from '../client/redis-target.ts';

/** The pod of Redis, and where it listens. */
export type RedisEndpoint = Pick<RedisTarget, 'podName' | 'host' | 'port'> & { readonly podUid: string };

/**
 * The label selector of the pods behind a Service.
 *
 * @throws {Refusal} RedisNotEligible for a Service that has none, or of type ExternalName.
 */
export function podSelectorOf(service: Service): string {
  const name = service.metadata.name;
  if (service.spec?.type === 'ExternalName') {
    throw notEligible(
      `Service ${name} is of type ExternalName and leads out of the namespace: name a Service with a selector for the Redis pod in rateLimiter.redis.service`,
    );
  }
  const selector = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) {
    throw notEligible(
      `Service ${name} has no selector, so its endpoints may be anything: name a Service with a selector for the Redis pod in rateLimiter.redis.service`,
    );
  }
  try {
    return formatLabelSelector(selector);
  } catch (error) {
    throw notEligible(`the selector of Service ${name} matches no pod: ${(error as Error).message}`);
  }
}

/**
 * The one Ready pod behind a port of a Service.
 *
 * @throws {Refusal} RedisNotFound if there is no such port or no Ready pod; RedisNotEligible if
 * there are several pods, or the one is on the host network or lacks the port.
 */
export function resolveRedis(service: Service, port: number, pods: readonly Pod[]): RedisEndpoint {
  const name = service.metadata.name;
  const targetPort = targetPortOf(service, port);
  const alive = pods.filter(isAlive);
  const ready = alive.filter(isReady);
  const [pod] = ready;
  if (pod === undefined) {
    const waiting = alive.map(({ metadata }) => metadata.name);
    throw new Refusal(
      'RedisNotFound',
      waiting.length === 0
        ? `Service ${name} selects no pod: start Redis, or compare the selector of the Service with kubectl get pods --show-labels`
        : `no pod behind Service ${name} is Ready (${listed(waiting)}): see kubectl describe pod, and run again when it is`,
    );
  }
  if (ready.length > 1) {
    throw notEligible(
      `Service ${name} selects ${ready.length} pods (${listed(ready.map(({ metadata }) => metadata.name))}): name a Service that selects exactly the one Redis that the rate limiter counts in`,
    );
  }
  if (pod.spec?.hostNetwork === true) {
    throw notEligible(
      `${pod.metadata.name} runs on the host network, where any program may hold the port: run Redis without hostNetwork`,
    );
  }
  const resolved = resolveContainerPort(pod, targetPort);
  if (resolved === undefined) {
    throw notEligible(
      `Service ${name} sends to the port named "${targetPort}", which ${pod.metadata.name} does not have: give the container port that name, or set a number as targetPort`,
    );
  }
  const { name: podName, uid: podUid } = pod.metadata;
  return { podName, podUid, host: pod.status?.podIP ?? '', port: resolved.port };
}

function notEligible(why: string): Refusal {
  return new Refusal('RedisNotEligible', why);
}

/** The target of a Service port: a number or the name of a container port. */
function targetPortOf(service: Service, port: number): number | string {
  const ports = service.spec?.ports ?? [];
  const entry = ports.find((candidate) => candidate.port === port && (candidate.protocol ?? 'TCP') === 'TCP');
  if (entry !== undefined) return entry.targetPort ?? entry.port;
  const numbers = ports.map((candidate) => String(candidate.port));
  throw new Refusal(
    'RedisNotFound',
    `Service ${service.metadata.name} has no TCP port ${port}: write ${numbers.length === 0 ? 'the port of Redis' : listed(numbers)} in rateLimiter.redis.port`,
  );
}
