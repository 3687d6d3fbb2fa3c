import type { SurveyedLimiter } from '../../runner/limiter.ts';

const readme = 'https://github.com/ulule/limiter#how-it-works';

/** The middleware for the standard library. */
export const limiter: SurveyedLimiter = {
  name: 'ulule-limiter',
  language: 'Go',
  ecosystem: 'go',
  package: 'github.com/ulule/limiter/v3',
  version: 'v3.11.2',
  besides: { 'github.com/redis/go-redis/v9': 'v9.23.0' },
  documentation: readme,
  remark: 'The default error handler panics: the connection of the caller closes without an answer.',
  args: [],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'If the key does not exist in the store we set a default value with an expiration period.',
      url: readme,
    },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [{ key: 'limiter:{key}', type: 'string', holds: 'used', note: 'counts denied requests too' }],
  variants: [
    {
      name: 'default',
      what: 'default settings of go-redis: ReadTimeout 5 s, 3 retries; the default error handler panics',
      env: {},
    },
    { name: 'timeout', what: 'ReadTimeout 200 ms, no retry', env: { TIMEOUT: '200ms' } },
    {
      name: 'timeout-error-handler',
      what: 'ReadTimeout 200 ms, no retry, WithErrorHandler that answers 500',
      env: { TIMEOUT: '200ms', HANDLE_ERRORS: 'true' },
    },
  ],
};
