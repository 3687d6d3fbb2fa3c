/** Finds the pods of a Redis and its Sentinels by the Services of the spec, with the logins. Reads the API server only. */
import { each, type RedisTarget } from '@chaosdemo/redis-faults';
import type { Cluster } from '../../cluster.ts';
import type { RedisSpec } from '../../spec/redis-schema.ts';
import { isAlive } from '../../targets/eligible-pods.ts';
import { NamespaceReader, TOO_MANY_PODS } from '../../targets/namespace-reader.ts';
import { requirePodAddresses } from '../../targets/pod-address.ts';
import { Refusal } from '../../targets/refusal.ts';
import { findAuthority, findSecret } from '../../targets/secret-keys.ts';
import { createRedisSecret, REDIS_AUTH, type RedisAuth, readRedisAuth } from './redis-auth.ts';
import { podSelectorOf, resolvePods, type ServiceUse, usesIn } from './redis-service.ts';

/** The part of a spec that names a Redis, and its member. */
export interface RedisPlace {
  readonly spec: { readonly redis: RedisSpec };
  readonly part: string;
}

/**
 * The one pod of a Redis, or the pods of a Cluster, masters and replicas.
 * @throws {Refusal} the first obstacle
 */
export async function findRedis(reader: NamespaceReader, { part, spec }: RedisPlace) {
  return await findServers(reader, spec.redis, usesIn(part).redis);
}

/**
 * The Sentinels as they are now; undefined if the spec names none.
 * @throws {Refusal} the first obstacle
 */
export async function findSentinels(reader: NamespaceReader, { part, spec }: RedisPlace) {
  const { sentinel, tls } = spec.redis;
  if (sentinel === undefined) return undefined;
  const servers = await findServers(reader, { ...sentinel, tls }, usesIn(part).sentinels);
  return { masterName: sentinel.masterName, servers };
}

/**
 * The fault proxy; undefined if the spec names none.
 * @throws {Refusal} the first obstacle
 */
export async function findFaultProxy(reader: NamespaceReader, { part, spec }: RedisPlace) {
  const { faultProxy } = spec.redis;
  if (faultProxy === undefined) return undefined;
  // Its Secret is required, and has a password.
  const [found] = await findServers(reader, faultProxy, usesIn(part).faultProxy);
  const { host, password: token = '', podName, port, setting } = found;
  return { podName, host, port, token, ...(setting !== undefined && { setting }) };
}

type Server = Pick<RedisSpec, 'authSecretName' | 'port' | 'serviceName'> & Partial<Pick<RedisSpec, 'tls'>>;

/** The pods of a Service, with how to connect to them. */
async function findServers(reader: NamespaceReader, server: Server, use: ServiceUse) {
  const { port, serviceName: name } = server;
  const service = await reader.service(name);
  if (service === undefined) {
    throw new Refusal(
      'RedisNotFound',
      `there is no Service ${name} in namespace ${reader.namespace}: write the name of the Service of ${use.server} in ${use.field}.serviceName`,
    );
  }
  const pods = await reader.pods(podSelectorOf(service, use));
  if (pods === undefined) {
    throw new Refusal(
      'RedisNotEligible',
      `Service ${name} selects ${TOO_MANY_PODS}, and at most ${use.most} are used: ${use.because}`,
    );
  }
  const endpoints = resolvePods(service, port, pods, use);
  const { localPods } = reader;
  requirePodAddresses(
    endpoints.map(({ host, podName }) => ({ name: podName, host })),
    { localPods, reason: 'RedisNotEligible' },
  );
  const login = await findLogin(reader, server, use);
  return each(endpoints, (endpoint) => ({ ...endpoint, ...login }));
}

/** How to connect to the pods of a Service. */
async function findLogin(
  reader: NamespaceReader,
  { authSecretName: name, serviceName, tls }: Server,
  { field }: ServiceUse,
): Promise<Partial<RedisAuth> & Pick<RedisTarget, 'ca' | 'namespace' | 'servername' | 'setting' | 'tls'>> {
  const { namespace } = reader;
  const link = {
    namespace,
    tls: tls !== undefined,
    setting: field,
    ...(tls && { servername: tls.serverName ?? `${serviceName}.${namespace}.svc` }),
    ...(await findAuthority(reader, REDIS_AUTH, tls)),
  };
  if (name === undefined) return link;
  const create = createRedisSecret(name, serviceName);
  const secret = await findSecret(reader, REDIS_AUTH, name, `${field}.authSecretName`, create);
  return { ...link, ...readRedisAuth(secret, { serviceName, tls }) };
}

/**
 * Whether the pod of a Redis is still the one that was found, at the same address. A pod that is being deleted keeps
 * its address to its end, and may still be paused.
 * @returns Going: it is being deleted
 * @throws the cluster's error if an answer is missing or forbidden
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
