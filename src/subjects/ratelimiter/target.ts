/** The rate limiter as it was found: where its nodes and its Redis are. Knows nothing of how. */
import type { HttpAuth } from './admission/http-auth.ts';
import type { RedisTarget } from './store/redis-target.ts';

/** One node of the rate limiter. */
export interface NodeTarget {
  /** Name of the pod; also the id of the node where the rate limiter knows it. */
  readonly name: string;
  /** Address that is dialled. */
  readonly host: string;
  readonly port: number;
  /** Of a node that speaks TLS: who its certificate has to be for. */
  readonly serverName?: string;
}

export interface RateLimiterTarget {
  readonly nodes: readonly NodeTarget[];
  readonly redis: RedisTarget;
  /** Of a limiter behind HTTP: what its Secret adds to the request that counts. */
  readonly http?: HttpAuth;
}
