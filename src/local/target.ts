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

/** The bundled limiters, their Redis, the Service `redis` and the Secret `redis-auth`. */
export async function bundledTarget({ namespace, limiters, redis, secret }: Registration): Promise<Target> {
  const redisOne = await redisPod(namespace, redis);
  const service = { namespace, name: 'redis', selector: redisOne.labels, port: 6379, targetPort: 'redis' };
  return {
    objects: [serviceObject(service), redisSecret(namespace, 'redis-auth', secret)],
    pods: [...(await limiterPods(namespace, limiters)), redisOne],
  };
}

/** Creates {@link bundledTarget} at an API server. Call it once the processes answer. */
export async function registerTarget(kubectl: Kubectl, registration: Registration): Promise<RegisteredPod[]> {
  return await registerAt(kubectl, await bundledTarget(registration));
}

/** Creates all of it. Returns the pods in their sequence. */
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
