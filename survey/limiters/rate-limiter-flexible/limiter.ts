import type { FailureSaying, SurveyedLimiter } from '../../runner/limiter.ts';

const insurance: FailureSaying = {
  quote: 'Insurance limiter is used only when main limiter comes up with any error.',
  url: 'https://github.com/animir/node-rate-limiter-flexible/wiki/Insurance-Strategy',
  means: ['FailsOpen', 'Enforces'],
  onError: true,
};

/** Called by a middleware of the user's own, as its documentation shows for Express. */
export const limiter: SurveyedLimiter = {
  name: 'rate-limiter-flexible',
  language: 'JavaScript',
  ecosystem: 'npm',
  package: 'rate-limiter-flexible',
  version: '11.4.0',
  besides: { ioredis: '6.0.0', express: '5.3.0' },
  documentation: 'https://github.com/animir/node-rate-limiter-flexible/wiki',
  remark:
    'The insurance takes effect on an error, and without a timeout there is none. With a timeout, each process grants the whole limit again. inMemoryBlockOnConsumed answers the caller over its limit at once; all others hang.',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'starts counting from the moment a request is received',
      url: 'https://github.com/animir/node-rate-limiter-flexible#node-rate-limiter-flexible',
    },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [{ key: 'rlflx:{key}', type: 'string', holds: 'used', note: 'counts denied requests too' }],
  variants: [
    { name: 'default', what: 'ioredis with enableOfflineQueue: false', env: {} },
    { name: 'timeout', what: 'commandTimeout 200 ms', env: { TIMEOUT_MS: '200' } },
    {
      name: 'insurance',
      what: 'insuranceLimiter in memory, no timeout',
      env: { INSURANCE: 'true' },
      saysOfFailure: insurance,
    },
    {
      name: 'timeout-insurance',
      what: 'commandTimeout 200 ms, insuranceLimiter in memory',
      env: { TIMEOUT_MS: '200', INSURANCE: 'true' },
      saysOfFailure: insurance,
    },
    {
      name: 'wrapper-insurance',
      what: 'RLWrapperTimeouts of 200 ms, insuranceLimiter in memory',
      env: { WRAPPER_TIMEOUT_MS: '200', INSURANCE: 'true' },
      saysOfFailure: {
        quote: 'If primaryLimiter times out or fails, it will automatically use insuranceLimiter.',
        url: 'https://github.com/animir/node-rate-limiter-flexible/wiki/RLWrapperTimeouts',
        means: ['FailsOpen', 'Enforces'],
      },
    },
    {
      name: 'block-in-memory',
      what: 'inMemoryBlockOnConsumed: callers over the limit are rejected without Redis',
      env: { BLOCK_IN_MEMORY: 'true' },
    },
  ],
};
