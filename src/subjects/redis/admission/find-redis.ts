/** Finds the pod of a Redis by the Service of the spec, with its login. Reads the API server only. */
import type { Cluster } from '../../cluster.ts';
import { isAlive } from '../../targets/eligible-pods.ts';
import { MOST_PODS, NamespaceReader } from '../../targets/namespace-reader.ts';
import { requirePodAddresses } from '../../targets/pod-address.ts';
import { Refusal } from '../../targets/refusal.ts';
import { findSecret } from '../../targets/secret-keys.ts';
import type { RedisTarget } from '../client/redis-target.ts';
import type { RedisSpec } from '../schema.ts';
import { type RedisAuth, readRedisAuth } from './redis-auth.ts';
import { podSelectorOf, type RedisEndpoint, resolveRedis } from './redis-service.ts';

/** @throws {Refusal} the first obstacle */
export async function findRedis(reader: NamespaceReader, redis: RedisSpec): Promise<RedisTarget> {
  const endpoint = await findEndpoint(reader, redis);
  const auth = await findAuth(reader, redis);
  return {
    ...endpoint,
    ...auth,
    tls: redis.tls,
    ...(redis.tls ? { servername: `${redis.service}.${reader.namespace}.svc` } : {}),
  };
}

async function findEndpoint(reader: NamespaceReader, redis: RedisSpec): Promise<RedisEndpoint> {
  const { port, service: name } = redis;
  const service = await reader.service(name);
  if (service === undefined) {
    throw new Refusal(
      'RedisNotFound',
      `there is no Service ${name} in namespace ${reader.namespace}: write the name of the Service of Redis in rateLimiter.redis.service`,
    );
  }
  const pods = await reader.pods(podSelectorOf(service));
  if (pods === undefined) {
    throw new Refusal(
      'RedisNotEligible',
      `Service ${name} selects more than ${MOST_PODS} pods: name a Service that selects exactly the one Redis`,
    );
  }
  const endpoint = resolveRedis(service, port, pods);
  const { localPods } = reader;
  requirePodAddresses([{ name: endpoint.podName, host: endpoint.host }], {
    localPods,
    reason: 'RedisNotEligible',
  });
  return endpoint;
}

async function findAuth(reader: NamespaceReader, redis: RedisSpec): Promise<RedisAuth> {
  const name = redis.authSecretName;
  if (name === undefined) return {};
  const secret = await findSecret(reader, name, 'RedisAuthInvalid', 'rateLimiter.redis.authSecretName');
  return readRedisAuth(secret, { service: redis.service, tls: redis.tls });
}

/**
 * Whether the pod of a Redis is still the one that was found, at the same address. A pod that is being deleted keeps
 * its address to its end, and may still be paused.
 * @returns Going: it is being deleted
 * @throws {Refusal} PermissionDenied, or the cluster's error if an answer is missing.
 */
export async function atItsAddress(
  { cluster, namespace }: { readonly cluster: Cluster; readonly namespace: string },
  { host, podName, podUid }: RedisTarget,
  signal: AbortSignal,
): Promise<'Staying' | 'Going' | 'Gone'> {
  const pod = await new NamespaceReader(cluster, namespace, signal).pod(podName);
  const { phase, podIP } = pod?.status ?? {};
  if (pod?.metadata.uid !== podUid || podIP !== host) return 'Gone';
  if (phase === 'Succeeded' || phase === 'Failed') return 'Gone';
  return pod !== undefined && isAlive(pod) ? 'Staying' : 'Going';
}
