/** The Redis behind the rate limiter, as discovered. */

/** Address and credentials. Holds secrets: not for logs or messages. */
export interface RedisTarget {
  /** Name of the pod. */
  readonly podName: string;
  /** Uid of the pod, if the API server reported it. */
  readonly podUid?: string;
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
  return `${podName} (${host.includes(':') ? `[${host}]` : host}:${port})`;
}
