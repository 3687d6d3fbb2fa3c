/** The Redis behind the rate limiter, as discovered: one server, or the masters of a Cluster. */
import { listed } from '../text.ts';
import { formatAddr } from './address.ts';
import type { SlotRanges } from './key-slot.ts';

/** Address and credentials of a server. Holds secrets: not for logs or messages. */
export interface RedisTarget {
  /** Name of the pod. */
  readonly podName: string;
  /** Uid of the pod, if the API server reported it. */
  readonly podUid?: string;
  /** Of the pod; left out: not in a cluster. */
  readonly namespace?: string;
  /** IP of the pod, without brackets for IPv6. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** With TLS: the name that the certificate must be valid for; default: the host. */
  readonly servername?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the CA, if the system does not trust it. */
  readonly ca?: string;
  /** As admitted; left out: nothing was admitted, and only a fault is released. */
  readonly runId?: string;
  /** Of a master of a Cluster: the slots whose keys it has; left out: it has all keys. */
  readonly slots?: SlotRanges;
  /** Of a master of a Cluster that is to be failed over: the replica that takes its place. */
  readonly replica?: RedisTarget;
  /** The settings that name it, for messages: "rateLimiter.redis"; default: "redis". */
  readonly setting?: string;
}

/** Name of a setting in messages: "redis.serviceName". */
export function settingOf({ setting = 'redis' }: Pick<RedisTarget, 'setting'>, field: string): string {
  return `${setting}.${field}`;
}

/** The Sentinels that watch a Redis. */
export interface SentinelsTarget {
  /** The name under which they watch it. */
  readonly masterName: string;
  /** At least one; sorted by the name of the pod. */
  readonly servers: readonly RedisTarget[];
}

/** Name in messages: "redis-0 (10.0.0.7:6379)". */
export function redisName({ podName, host, port }: Pick<RedisTarget, 'podName' | 'host' | 'port'>): string {
  return `${podName} (${formatAddr(host, port)})`;
}

/** Name of one server or of a Cluster in messages: "Redis Cluster (redis-0, redis-1 and redis-2)". */
export function storeName(targets: readonly Pick<RedisTarget, 'podName' | 'host' | 'port'>[]): string {
  const [only, ...others] = targets;
  if (only !== undefined && others.length === 0) return redisName(only);
  return `Redis Cluster (${listed(targets.map(({ podName }) => podName))})`;
}
