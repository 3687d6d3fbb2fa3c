import type { SurveyedLimiter } from '../../runner/limiter.ts';

const readme = 'https://github.com/go-redis/redis_rate#readme';

/** GCRA by the authors of go-redis, called by a handler of the user's own. */
export const limiter: SurveyedLimiter = {
  name: 'redis-rate',
  language: 'Go',
  ecosystem: 'go',
  package: 'github.com/go-redis/redis_rate/v10',
  version: 'v10.0.1',
  besides: { 'github.com/redis/go-redis/v9': 'v9.23.0' },
  documentation: readme,
  args: [],
  healthPath: '/healthz',
  window: {
    kind: 'TokenBucket',
    saidBy: { quote: 'based on rwz/redis-gcra and implements GCRA', url: readme },
    note: 'Burst and rate are the limit: one request comes back each window divided by limit.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'RateLimit-Remaining',
  store: [
    {
      key: 'rate:{key}',
      type: 'string',
      holds: 'time of arrival',
      note: 'theoretical arrival time of GCRA, in seconds since 2017-01-01; admitted requests only',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of go-redis: ReadTimeout 5 s, 3 retries', env: {} },
    { name: 'timeout', what: 'ReadTimeout 200 ms, no retry', env: { TIMEOUT: '200ms' } },
    {
      name: 'timeout-fail-open',
      what: 'ReadTimeout 200 ms, no retry, a handler that admits on an error',
      env: { TIMEOUT: '200ms', FAIL_OPEN: 'true' },
    },
  ],
};
