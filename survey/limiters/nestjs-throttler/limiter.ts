import type { SurveyedLimiter } from '../../runner/limiter.ts';

/** The guard of NestJS, with the storage for Redis that its documentation names. */
export const limiter: SurveyedLimiter = {
  name: 'nestjs-throttler',
  language: 'JavaScript',
  ecosystem: 'npm',
  package: '@nestjs/throttler',
  version: '6.7.1',
  besides: { '@nest-lab/throttler-storage-redis': '1.2.0', ioredis: '6.0.0', '@nestjs/core': '11.2.10' },
  documentation: 'https://docs.nestjs.com/security/rate-limiting',
  remark: 'As with koa-ratelimit, Redis counts the requests of callers that got an error.',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'the number of milliseconds that each request will last in storage',
      url: 'https://github.com/nestjs/throttler#readme',
    },
    note: 'A caller that was denied is blocked for a whole window from then on: blockDuration is ttl by default.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [
    {
      key: '{{hash}:default}:hits',
      type: 'string',
      holds: 'used',
      note: 'the hash is SHA-256 of AppController-hello-default-{key}; counts denied requests too',
    },
    { key: '{{hash}:default}:blocked', type: 'string', holds: 'other', note: '1 once a request was denied' },
  ],
  variants: [
    { name: 'default', what: 'default settings of ioredis', env: {} },
    { name: 'timeout', what: 'commandTimeout 200 ms', env: { TIMEOUT_MS: '200' } },
  ],
};
