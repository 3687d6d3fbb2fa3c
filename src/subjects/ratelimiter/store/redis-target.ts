/** The subject as discovered: where its nodes and its Redis are. Knows nothing of how they were found. */

/** One node of the rate limiter. */
export interface NodeTarget {
  /** Name of the pod; also the id of the node where the rate limiter knows it. */
  readonly name: string;
  /** Address that is dialled. */
  readonly host: string;
  readonly port: number;
}

/** The Redis behind the rate limiter. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  /** Name that the certificate must be valid for; the host when left out. */
  readonly servername?: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the CA, when the system does not know it. */
  readonly ca?: string;
  readonly tls: boolean;
  /** Name of the pod, for messages. */
  readonly podName: string;
}

export interface RateLimiterTarget {
  readonly nodes: readonly NodeTarget[];
  readonly redis: RedisTarget;
}
