/** The rate limiter as it was found: where its nodes and its Redis are. Knows nothing of how. */
import type { RedisTarget } from './store/redis-target.ts';

/** One node of the rate limiter. */
export interface NodeTarget {
  /** Name of the pod; also the id of the node where the rate limiter knows it. */
  readonly name: string;
  /** Address that is dialled. */
  readonly host: string;
  readonly port: number;
}

export interface RateLimiterTarget {
  readonly nodes: readonly NodeTarget[];
  readonly redis: RedisTarget;
}
