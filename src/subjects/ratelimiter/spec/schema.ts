/** The rate limiter's part of the spec, `spec.rateLimiter`. */
import { COUNT_TYPES } from '@chaosdemo/redis-faults';
import { z } from 'zod';
import { type ChaosDemoSpec, cel, durationField, parseDuration } from '../../../api/index.ts';
import {
  healthSchema,
  KEY_PLACE,
  podPort,
  podSelector,
  requestPath,
  requiredPart,
  wholeField,
} from '../../spec/pods-schema.ts';
import { redisSchema } from '../../spec/redis-schema.ts';
import type { FixedWindow, Rules } from '../limits/rate-limit.ts';
import { ADDRESS_PLACE, httpInterfaceSchema } from './http-schema.ts';

/** Its member of `spec`. */
export const PART = 'rateLimiter';

const count = z
  .object({
    key: z
      .string()
      .max(256)
      .regex(/^[!-~]*\$\((key|address)\)[!-~]*$/)
      .describe(
        `The key that holds the count, with ${KEY_PLACE} (or ${ADDRESS_PLACE}) in it: rl:${KEY_PLACE}.`,
      ),
    type: z
      .enum(COUNT_TYPES)
      .default('String')
      .describe(
        'Type of the key. String, Hash: a whole number. List, Set, SortedSet: an entry for each request.',
      ),
    field: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe(
        'Hash only. The field that holds the count. If left out, the count is the sum of all fields.',
      ),
  })
  .meta({
    description:
      'The count that the limiter keeps of the requests of one caller in one window, upward from 0. With http only. CounterDrift and DataLoss need it. Setup of every run checks it, as proof that the limiter counts in this Redis.',
    ...cel({
      rule: "!has(self.field) || (has(self.type) && self.type == 'Hash')",
      message: 'field belongs to type Hash: leave it out, or set it',
    }),
  });

/** The largest limit; CEL rules that multiply with it need the bound. */
export const MOST_REQUESTS = 5000;

const limit = z
  .object({
    requests: wholeField(
      1,
      MOST_REQUESTS,
      'Requests that the limit admits in one window. If left out, Setup of each run measures it, up to 1,000.',
    ).optional(),
    window: durationField(
      'Length of the window. If left out, Setup of each run measures it, up to 1m, which takes two windows.',
      '1s',
      '1h',
    ).optional(),
    algorithm: z
      .enum(['FixedWindow', 'SlidingWindow', 'SlidingWindowCounter', 'TokenBucket'])
      .optional()
      .describe(
        'How the limiter counts. If left out, the run measures it as far as a result depends on it. TokenBucket is also the algorithm of GCRA, with limit.requests as the refill of one window.',
      ),
    windowStart: z
      .enum(['FirstRequest', 'Clock', 'EachKey', 'Unknown'])
      .optional()
      .describe(
        'FixedWindow only. A window begins with the first request, or at whole multiples of its length since the epoch, or at other moments for each key. If left out, the run measures it as far as a result depends on it. Unknown: as if this and algorithm were left out.',
      ),
    burst: wholeField(
      1,
      MOST_REQUESTS,
      'TokenBucket only. Requests that a full bucket admits at once. If left out, limit.requests.',
    ).optional(),
    refillEvery: durationField(
      'TokenBucket only. Time between two batches of tokens. If left out, tokens come one by one.',
      '1ms',
      '1h',
    ).optional(),
  })
  .meta({
    description:
      'The limit that the limiter is configured with. What is left out is measured. The bundled limiter has 10 requests in 60 s unless configured otherwise.',
    ...cel({
      rule: "has(self.algorithm) && self.algorithm == 'TokenBucket' || (!has(self.burst) && !has(self.refillEvery))",
      message: 'burst and refillEvery are of algorithm TokenBucket: leave them out, or set it',
    }),
  });

const health = healthSchema(
  requestPath
    .optional()
    .describe(
      'Path of a GET request that uses no limit: a pod is healthy if it responds with a status from 200 to 399. Left out: a pod is healthy if it accepts connections, and one that is slow looks like a slow limiter. The bundled limiter has /health.',
    ),
  'the rate limiter',
).prefault({});

export const rateLimiterSchema = z
  .object({
    selector: podSelector('the rate limiter'),
    http: httpInterfaceSchema.optional(),
    port: podPort,
    redis: redisSchema
      .extend({ count: count.optional() })
      .describe('The Redis in which the rate limiter counts.'),
    limit: limit.optional(),
    health,
  })
  .meta({
    description: 'The rate limiter under test. Not with lock.',
    ...cel({
      rule: "has(self.http) ? self.http.identity != 'SourceAddress' || (has(self.limit) && has(self.limit.requests) && has(self.limit.window)) : !has(self.redis.count)",
      message:
        'with http.identity SourceAddress, set limit.requests and limit.window; without http (the bundled limiter), leave redis.count out',
    }),
  });

/** As the API server returns it: with defaults filled in. */
export type StoredRateLimiter = z.output<typeof rateLimiterSchema>;

/** What a run needs to know of the rate limiter: that of the spec, or of the bundled limiter. */
export type RateLimiterSpec = ReturnType<typeof completed>;

/**
 * The rate limiter's part of a spec, with the request, the limit and the count of the bundled limiter if it names none.
 * @throws TypeError if it is missing, which the API server's validation rules out
 */
export function rateLimiterOf(spec: ChaosDemoSpec): RateLimiterSpec {
  return completed(requiredPart(spec, PART) as StoredRateLimiter);
}

/** The bundled limiter, as anyone would describe it who knew nothing but its API. */
export const BUNDLED = {
  http: httpInterfaceSchema.parse({
    method: 'POST',
    path: '/check',
    headers: [{ name: 'content-type', value: 'application/json' }],
    body: JSON.stringify({ key: KEY_PLACE }),
    admittedStatuses: [200],
  }),
  count: count.parse({ key: `rl:count:${KEY_PLACE}`, type: 'Hash' }),
  limit: { requests: 10, window: '60s' },
  counting: { algorithm: 'FixedWindow', windowStart: 'FirstRequest' } as const,
  healthPath: '/health',
};

/** Fills in what is known of the bundled limiter; a complete spec stays as it is. */
export function completed(stored: StoredRateLimiter) {
  const isBundled = stored.http === undefined;
  const { http = BUNDLED.http, redis } = stored;
  const health = { ...(isBundled && { path: BUNDLED.healthPath }), ...stored.health };
  const stores = { ...redis, ...(isBundled && { count: BUNDLED.count }) };
  const { requests = BUNDLED.limit.requests, window = BUNDLED.limit.window } = stored.limit ?? {};
  const limit = { ...(isBundled && BUNDLED.counting), ...stored.limit, requests, window };
  const isOpen = (field: 'requests' | 'window'): boolean => !isBundled && stored.limit?.[field] === undefined;
  /** What Setup measures, since it is left out. That of the bundled limiter is known. */
  const open = { requests: isOpen('requests'), window: isOpen('window') };
  return { ...stored, http, isBundled, open, limit, redis: stores, health };
}

/** Where windows may begin, by the start that a spec states. */
const STARTS: Readonly<Record<string, readonly FixedWindow['start'][]>> = {
  FirstRequest: ['FirstRequest', 'EachRequest'],
  Clock: ['Clock'],
  EachKey: ['EachKey'],
};

/**
 * The rules by which the limiter may count: all that fit what the spec states.
 * @throws RangeError for malformed durations, which the API server's validation rules out
 */
export function rulesOf({ limit }: Pick<RateLimiterSpec, 'limit'>): Rules {
  const { burst, refillEvery, requests, window, windowStart } = limit;
  const isUnknown = windowStart === 'Unknown';
  const start = isUnknown ? undefined : windowStart;
  const algorithm = isUnknown ? undefined : (limit.algorithm ?? (start && 'FixedWindow'));
  const figures = { requests, windowMs: parseDuration(window) };
  const starts = start ? (STARTS[start] ?? []) : Object.values(STARTS).flat();
  const all: Rules = [
    ...starts.map((from) => ({ algorithm: 'FixedWindow', ...figures, start: from }) as const),
    { algorithm: 'SlidingWindow', ...figures },
    { algorithm: 'SlidingWindowCounter', ...figures },
    {
      algorithm: 'TokenBucket',
      ...figures,
      capacity: burst ?? requests,
      ...(refillEvery !== undefined && { refillEveryMs: parseDuration(refillEvery) }),
    },
  ];
  return algorithm === undefined ? all : all.filter((rule) => rule.algorithm === algorithm);
}
