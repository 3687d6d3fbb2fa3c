/** Limiters as textbooks have them, for properties: each decides on requests in the order of their times. */
import type { RateLimit } from './rate-limit.ts';

/** Whether the request at `at` is admitted; times never go back. */
export type Decide = (at: number) => boolean;

/** A limiter that keeps `limit` to the letter, unused so far. */
export function modelOf(limit: RateLimit): Decide {
  switch (limit.algorithm) {
    case 'FixedWindow':
      return fixedWindow(limit);
    case 'SlidingWindow':
      return slidingWindow(limit);
    case 'SlidingWindowCounter':
      return slidingWindowCounter(limit);
    case 'TokenBucket':
      return tokenBucket(limit);
    default:
      return limit satisfies never;
  }
}

type Of<A extends RateLimit['algorithm']> = Extract<RateLimit, { algorithm: A }>;

function fixedWindow({ requests, start, windowMs }: Of<'FixedWindow'>): Decide {
  let begin = -Infinity;
  let count = 0;
  return (at) => {
    if (at >= begin + windowMs) {
      begin = start === 'Clock' ? Math.floor(at / windowMs) * windowMs : at;
      count = 0;
    }
    count += 1;
    return count <= requests;
  };
}

function slidingWindow({ requests, windowMs }: Of<'SlidingWindow'>): Decide {
  let log: number[] = [];
  return (at) => {
    log = log.filter((earlier) => earlier > at - windowMs);
    if (log.length >= requests) return false;
    log.push(at);
    return true;
  };
}

function slidingWindowCounter({ requests, windowMs }: Of<'SlidingWindowCounter'>): Decide {
  const counts = new Map<number, number>();
  return (at) => {
    const index = Math.floor(at / windowMs);
    const left = 1 - (at - index * windowMs) / windowMs;
    const now = counts.get(index) ?? 0;
    if (Math.floor((counts.get(index - 1) ?? 0) * left) + now >= requests) return false;
    counts.set(index, now + 1);
    return true;
  };
}

function tokenBucket({ capacity, refillEveryMs, requests, windowMs }: Of<'TokenBucket'>): Decide {
  let tokens = capacity;
  let last: number | undefined;
  const lump = (at: number): number =>
    refillEveryMs === undefined ? at : Math.floor(at / refillEveryMs) * refillEveryMs;
  return (at) => {
    const now = lump(at);
    tokens = Math.min(capacity, tokens + ((now - (last ?? now)) * requests) / windowMs);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
