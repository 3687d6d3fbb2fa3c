/** The rate limiter as it was found: where its pods and its Redis are. Knows nothing of how. */
import type { HttpAuth } from './admission/http-auth.ts';
import type { RedisTarget } from './store/redis-target.ts';

/** One pod of the rate limiter. */
export interface NodeTarget {
  /** Name of the pod; also its id in the rate limiter, if that has ids. */
  readonly name: string;
  /** Address that is dialled. */
  readonly host: string;
  readonly port: number;
  /** Of a pod that speaks TLS: who its certificate has to be for. */
  readonly serverName?: string;
}

export interface RateLimiterTarget {
  readonly nodes: readonly NodeTarget[];
  readonly redis: RedisTarget;
  /** Of a limiter behind HTTP: what its Secret adds to the request that counts. */
  readonly http?: HttpAuth;
}
