import type { SurveyedLimiter } from '../../runner/limiter.ts';

const documentation = 'https://docs.gofiber.io/api/middleware/limiter';

/** The middleware of Fiber, with its storage for Redis: it reads the count, adds one, and writes it back. */
export const limiter: SurveyedLimiter = {
  name: 'fiber-limiter',
  language: 'Go',
  ecosystem: 'go',
  package: 'github.com/gofiber/fiber/v3',
  version: 'v3.1.0',
  besides: { 'github.com/gofiber/storage/redis/v3': 'v3.4.3', 'github.com/redis/go-redis/v9': 'v9.17.3' },
  documentation,
  remark:
    'A process holds one lock for all callers while it waits for Redis. With a ReadTimeout of 200 ms it answers five callers per second, so about nine of ten wait. That is the border between Hangs and Mixed. It reads the count, adds one and writes it back, so in a burst processes overwrite each other.',
  args: [],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: { quote: 'the standard fixed window algorithm', url: documentation },
    note: 'Counted in whole seconds; processes that count at the same time overwrite each other.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [
    {
      key: '{key}',
      type: 'string',
      holds: 'other',
      note: 'MessagePack: hits of this window and the one before, and the second in which it ends',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of its storage: ReadTimeout 3 s, 3 retries', env: {} },
    {
      name: 'sliding',
      what: 'SlidingWindow',
      env: { SLIDING: 'true' },
      window: {
        kind: 'Sliding',
        saidBy: { quote: 'Each new window also considers the previous one', url: documentation },
      },
    },
    { name: 'timeout', what: 'ReadTimeout 200 ms, no retry', env: { TIMEOUT: '200ms' } },
  ],
};
