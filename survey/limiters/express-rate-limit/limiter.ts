import type { FailureSaying, SurveyedLimiter } from '../../runner/limiter.ts';

const configuration = 'https://express-rate-limit.mintlify.app/reference/configuration';
const failsClosed: FailureSaying = {
  quote: 'the default is to "fail closed" and block all requests if the datastore becomes unavailable',
  url: `${configuration}#passonstoreerror`,
  means: ['FailsClosed'],
  onError: true,
};
const failsOpen: FailureSaying = {
  quote: 'to "fail open" allow the request(s) through without rate limiting',
  url: `${configuration}#passonstoreerror`,
  means: ['FailsOpen', 'Enforces'],
  onError: true,
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
  remark:
    'commandOptions.timeout of node-redis covers a command until it is written, not until it is answered, so it has no effect here. socketTimeout closes the client after a second without traffic, and with its default settings node-redis does not reconnect. With passOnStoreError, nothing is limited from then on, so the baseline check fails.',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'The time window for each user starts at their first request.',
      url: `${configuration}#windowms`,
    },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'RateLimit-Remaining',
  store: [{ key: 'rl:{key}', type: 'string', holds: 'used', note: 'counts denied requests too' }],
  variants: [
    { name: 'default', what: 'default settings of node-redis', env: {}, saysOfFailure: failsClosed },
    { name: 'fail-open', what: 'passOnStoreError', env: { FAIL_OPEN: 'true' }, saysOfFailure: failsOpen },
    {
      name: 'timeout',
      what: 'commandOptions.timeout 200 ms',
      env: { TIMEOUT_MS: '200' },
      saysOfFailure: failsClosed,
    },
    {
      name: 'timeout-fail-open',
      what: 'commandOptions.timeout 200 ms, passOnStoreError',
      env: { TIMEOUT_MS: '200', FAIL_OPEN: 'true' },
      saysOfFailure: failsOpen,
    },
    {
      name: 'socket-timeout-fail-open',
      what: 'socketTimeout 1 s, passOnStoreError',
      env: { SOCKET_TIMEOUT_MS: '1000', FAIL_OPEN: 'true' },
      saysOfFailure: failsOpen,
    },
    {
      name: 'ioredis-timeout-fail-open',
      what: 'ioredis with commandTimeout 200 ms, passOnStoreError',
      env: { CLIENT: 'ioredis', TIMEOUT_MS: '200', FAIL_OPEN: 'true' },
      saysOfFailure: failsOpen,
    },
  ],
};
