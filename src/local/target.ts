/** Registers rate limiters and their Redis at an API server, as in a cluster. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  type Kubectl,
  type PodSpec,
  type RedisServer,
  type RegisteredPod,
  registerPods,
  serviceObject,
} from '@chaosdemo/testbed';
import { type Limiter, limiterPods } from './limiters.ts';

/** The objects to register in one namespace. */
export interface Registration {
  readonly namespace: string;
  readonly limiters: readonly Limiter[];
  readonly redis: RedisServer;
  /** The data of the Secret `redis-auth`, with which the operator logs in. */
  readonly secret: Readonly<Record<string, string>>;
}

/**
 * Creates their pods, the Service `redis` and the Secret `redis-auth`. Returns the pods in the sequence of `limiters`,
 * then that of Redis. Call it once the processes answer.
 */
export async function registerTarget(
  kubectl: Kubectl,
  { namespace, limiters, redis, secret }: Registration,
): Promise<RegisteredPod[]> {
  const redisOne = await redisPod(namespace, redis);
  const service = { namespace, name: 'redis', selector: redisOne.labels, port: 6379, targetPort: 'redis' };
  const [pods] = await Promise.all([
    registerPods(kubectl, [...(await limiterPods(namespace, limiters)), redisOne]),
    kubectl.apply([
      serviceObject(service),
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'chaosdemo.dev/redis-auth',
        metadata: { namespace, name: 'redis-auth' },
        stringData: secret,
      },
    ]),
  ]);
  return pods;
}

/** The pod `redis-0` that represents a Redis. Its image ID is the digest of the running program. */
export async function redisPod(namespace: string, server: RedisServer): Promise<PodSpec> {
  const { path, version } = server.binary;
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return {
    namespace,
    name: 'redis-0',
    labels: { 'app.kubernetes.io/name': 'redis' },
    container: 'redis',
    image: `local/redis:${version}`,
    imageId: `local/redis@sha256:${digest}`,
    port: { name: 'redis', number: server.port },
    ip: server.host,
    pid: server.pid,
  };
}
