/** Which clients connect to Redis through a fault proxy, and whether a fault of it would reach only selected pods. */
import { ipOf } from '../client/address.ts';
import {
  FaultProxyClient,
  FaultProxyError,
  type FaultProxyTarget,
  type ProxyConnections,
} from '../client/fault-proxy.ts';
import { counted, listed } from '../text.ts';
import { isOfRedis, type RedisClient } from './redis-clients.ts';
import { RedisRefusal } from './redis-refusal.ts';

/**
 * Checks that the proxy answers and accepts the token, and that no other clients would meet its faults.
 * @param addresses IPs of the selected pods
 * @throws {RedisRefusal}
 */
export async function requireOwnClients(
  target: FaultProxyTarget,
  addresses: readonly string[],
  { allowOtherClients, setting }: { readonly allowOtherClients: boolean; readonly setting: string },
): Promise<void> {
  const proxy = new FaultProxyClient(target);
  try {
    const strangers = strangersIn(await proxy.connections(), addresses);
    if (allowOtherClients || strangers.length === 0) return;
    throw new RedisRefusal(
      'SharedRedis',
      `${counted(strangers.length, 'client')} of ${proxy.name} ${strangers.length === 1 ? 'is' : 'are'} neither selected pods nor the operator: ${listed(strangers)}. Give the rate limiter its own fault proxy, end these clients, or set ${setting} to Allow`,
    );
  } catch (error) {
    if (!(error instanceof FaultProxyError)) throw error;
    const reason = error.status === 401 ? 'RedisAuthInvalid' : 'RedisUnreachable';
    throw new RedisRefusal(reason, error.message);
  } finally {
    proxy.close();
  }
}

/** Addresses of clients that are neither of these IPs nor of the requester. Pure. */
export function strangersIn(
  { connections, requester }: ProxyConnections,
  addresses: readonly string[],
): string[] {
  const known = new Set([...addresses, ipOf(requester)]);
  return connections.map(({ client }) => client).filter((client) => !known.has(ipOf(client)));
}

interface Pod {
  readonly name: string;
  readonly host: string;
}

/** The ways of pods to Redis, by the list of the proxy and that of Redis. */
export type PodPaths = ReturnType<typeof pathsOf>;

/** How pods are connected to Redis. Pure. */
export function pathsOf(
  pods: readonly Pod[],
  { connections, requester }: ProxyConnections,
  clients: readonly RedisClient[],
) {
  const listedByRedis = new Set(clients.map(({ addr }) => addr));
  const through = connections.flatMap(({ client, upstream }) =>
    upstream !== undefined && listedByRedis.has(upstream) ? [{ ip: ipOf(client), upstream }] : [],
  );
  const ofPods = through.filter(({ ip }) => pods.some(({ host }) => host === ip));
  const made = new Set(connections.map(({ upstream }) => upstream));
  // On one machine, pods, proxy and operator may have the same address.
  const direct = new Set(
    clients
      .filter((client) => !isOfRedis(client) && !made.has(client.addr) && client.ip !== ipOf(requester))
      .map(({ ip }) => ip),
  );
  const named = (some: readonly Pod[]): string[] => some.map(({ name }) => name);
  return {
    /** Pods without a connection of which both ends are listed: by the proxy, and from the proxy by Redis. */
    missing: named(pods.filter(({ host }) => !ofPods.some(({ ip }) => ip === host))),
    /** Pods that Redis itself lists: a fault of the proxy would not reach these connections. */
    direct: named(pods.filter(({ host }) => direct.has(host))),
    /** Addresses of the connections to Redis that the proxy made for pods. */
    upstream: ofPods.map(({ upstream }) => upstream),
  };
}
