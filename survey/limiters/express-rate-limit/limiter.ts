import type { SurveyedLimiter } from '../../limiter.ts';

const saysOfFailure = {
  quote: 'Allow (true) or block (false, default) traffic if the store becomes unavailable.',
  url: 'https://github.com/express-rate-limit/express-rate-limit#configuration',
};

/** The middleware of Express, with its store for Redis. */
export const limiter: SurveyedLimiter = {
  name: 'express-rate-limit',
  language: 'JavaScript',
  ecosystem: 'npm',
  package: 'express-rate-limit',
  version: '8.7.5',
  besides: { 'rate-limit-redis': '6.0.1', redis: '6.3.1', ioredis: '6.0.0', express: '5.3.0' },
  documentation: 'https://express-rate-limit.mintlify.app/overview',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'How long to remember requests for, in milliseconds.',
      url: 'https://github.com/express-rate-limit/express-rate-limit#configuration',
    },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  denied: [429],
  remainingHeader: 'RateLimit-Remaining',
  store: [{ key: 'rl:{key}', type: 'string', holds: 'used', note: 'counts denied requests too' }],
  variants: [
    { name: 'default', what: 'node-redis as it comes', env: {}, saysOfFailure },
    { name: 'fail-open', what: 'passOnStoreError', env: { FAIL_OPEN: 'true' }, saysOfFailure },
    { name: 'timeout', what: 'commandOptions.timeout of 200 ms', env: { TIMEOUT_MS: '200' }, saysOfFailure },
    {
      name: 'timeout-fail-open',
      what: 'commandOptions.timeout of 200 ms and passOnStoreError',
      env: { TIMEOUT_MS: '200', FAIL_OPEN: 'true' },
      saysOfFailure,
    },
    {
      name: 'socket-timeout-fail-open',
      what: 'socketTimeout of 1 s and passOnStoreError',
      env: { SOCKET_TIMEOUT_MS: '1000', FAIL_OPEN: 'true' },
      saysOfFailure,
    },
    {
      name: 'ioredis-timeout-fail-open',
      what: 'ioredis with commandTimeout of 200 ms and passOnStoreError',
      env: { CLIENT: 'ioredis', TIMEOUT_MS: '200', FAIL_OPEN: 'true' },
      saysOfFailure,
    },
  ],
};
