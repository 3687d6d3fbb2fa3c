/** Registers rate limiters and their Redis at an API server, as in a cluster. */
import {
  type Kubectl,
  type PodSpec,
  type RedisServer,
  type RegisteredPod,
  registerPods,
  serviceObject,
} from '@chaosdemo/testbed';
import type { Address } from './address.ts';
import type { Limiter } from './limiters.ts';

/** What stands for processes of this machine at an API server. */
export interface Target {
  readonly objects: readonly object[];
  /** Those of limiters, then that of Redis. */
  readonly pods: readonly PodSpec[];
}

/** The objects to register in one namespace. */
export interface Registration {
  readonly namespace: string;
  readonly limiters: readonly Limiter[];
  readonly redis: RedisServer;
  /** The data of the Secret `redis-auth`, with which the operator logs in. */
  readonly secret: Readonly<Record<string, string>>;
}

/** The bundled limiters and their Redis. */
export function bundledTarget({ namespace, limiters, redis, secret }: Registration): Target {
  return withRedis(limiterPods(namespace, limiters), redisPod(namespace, redis), secret);
}

/** These pods and their Redis, the Service `redis` and, with a login, the Secret `redis-auth`. */
export function withRedis(
  pods: readonly PodSpec[],
  redis: PodSpec,
  login?: Readonly<Record<string, string>>,
): Target {
  const { labels: selector, namespace } = redis;
  const service = serviceObject({ namespace, name: 'redis', selector, port: 6379, targetPort: 'redis' });
  const secrets = login ? [redisSecret(namespace, 'redis-auth', login)] : [];
  return { objects: [service, ...secrets], pods: [...pods, redis] };
}

/** Creates all of it at an API server: call it once the processes answer. Returns the pods in their sequence. */
export async function registerAt(kubectl: Kubectl, { objects, pods }: Target): Promise<RegisteredPod[]> {
  const [registered] = await Promise.all([registerPods(kubectl, pods), kubectl.apply(objects)]);
  return registered;
}

/** A Secret with which the operator logs in to Redis, or to the fault proxy. */
export function redisSecret(
  namespace: string,
  name: string,
  login: Readonly<Record<string, string>>,
): object {
  return secretObject(namespace, name, 'chaosdemo.dev/redis-auth', login);
}

export function secretObject(
  namespace: string,
  name: string,
  type: string,
  texts: Readonly<Record<string, string>>,
): object {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'Secret', type, metadata: { namespace, name }, data };
}

/** The pod `redis-0` that represents a Redis. */
export function redisPod(namespace: string, redis: Address & { readonly pid?: number }): PodSpec {
  return podOf(namespace, 'redis-0', { 'app.kubernetes.io/name': 'redis' }, 'redis', redis);
}

/** The pods that represent bundled limiters, of one template like those of a Deployment. */
export function limiterPods(namespace: string, limiters: readonly Limiter[]): PodSpec[] {
  const labels = { 'app.kubernetes.io/name': 'ratelimiter', 'pod-template-hash': 'first' };
  return limiters.map(({ ip: host, name, port, process: { pid } }) =>
    podOf(namespace, name, labels, 'http', { host, port, pid }),
  );
}

/** A pod that represents a process. */
export function podOf(
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  portName: string,
  { host, pid, port }: Address & { readonly pid?: number | undefined },
): PodSpec {
  // The operator compares images only with each other: all instances count as one program.
  const image = `local/${Object.values(labels)[0] ?? 'api'}`;
  return {
    namespace,
    name,
    labels,
    container: portName,
    image,
    imageId: image,
    port: { name: portName, number: port },
    ip: host,
    ...(pid !== undefined && { pid }),
  };
}
