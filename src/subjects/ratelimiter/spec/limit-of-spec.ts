/** Figures of the rate limiter, according to the spec. Pure. */
import { parseDuration } from '../../../api/index.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { RateLimiterSpec } from './schema.ts';

/** @throws RangeError for malformed durations, which the API server's validation rules out */
export function limitOf({ limit }: Pick<RateLimiterSpec, 'limit'>): RateLimit {
  const { algorithm, burst, refillEvery, requests, window, windowStart } = limit;
  const windowMs = parseDuration(window);
  switch (algorithm) {
    case 'FixedWindow':
      return { algorithm, requests, windowMs, start: windowStart };
    case 'SlidingWindow':
    case 'SlidingWindowCounter':
      return { algorithm, requests, windowMs };
    case 'TokenBucket':
      return {
        algorithm,
        requests,
        windowMs,
        capacity: burst ?? requests,
        ...(refillEvery !== undefined && { refillEveryMs: parseDuration(refillEvery) }),
      };
    default:
      return algorithm satisfies never;
  }
}
