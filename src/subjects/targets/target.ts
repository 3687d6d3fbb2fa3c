/** What is tested, as discovered: its pods and its Redis. */
import type { FaultProxyTarget, PerServer, RedisTarget, SentinelsTarget } from '@chaosdemo/redis-faults';

/** What a Secret adds to each request that counts. Missing keys are left out. */
export interface HttpAuth {
  /** By name, as written in the Secret. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM certificates. */
  readonly ca?: string;
}

/** Keys of accounts that stand for callers, and the name of their Secret. */
export interface Accounts {
  readonly secretName: string;
  readonly keys: readonly string[];
}

/** One pod of it. */
export interface PodTarget {
  readonly name: string;
  /** Its IP, without brackets for IPv6. */
  readonly host: string;
  readonly port: number;
  /** For a pod that speaks TLS: the name that its certificate has to be valid for. */
  readonly serverName?: string;
}

export interface PodsTarget {
  readonly pods: readonly PodTarget[];
  /** One server, or the masters of a Cluster. */
  readonly redis: PerServer<RedisTarget>;
  /** Those that watch it, if the spec names them. */
  readonly sentinels?: SentinelsTarget;
  /** Between the pods and Redis, if the spec names one. */
  readonly faultProxy?: FaultProxyTarget;
  /** What its Secret adds to each request that counts. */
  readonly http?: HttpAuth;
  /** Left out: the operator makes keys up. */
  readonly accounts?: Accounts;
}
