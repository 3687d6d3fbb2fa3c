/** The Redis behind the rate limiter, as it was found. Knows nothing of how. */

/** Where it is and how to log in. Holds secrets: not for logs or messages. */
export interface RedisTarget {
  /** Name of the pod. */
  readonly podName: string;
  /** Of the pod, where it was found by the API server. */
  readonly podUid?: string;
  /** IP of the pod, without brackets for IPv6. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** With TLS: the name that the certificate must be valid for; the host when left out. */
  readonly servername?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the CA, when the system does not know it. */
  readonly ca?: string;
}

/** What messages call it: "redis-0 (10.0.0.7:6379)". */
export function redisName({ podName, host, port }: Pick<RedisTarget, 'podName' | 'host' | 'port'>): string {
  return `${podName} (${host.includes(':') ? `[${host}]` : host}:${port})`;
}
