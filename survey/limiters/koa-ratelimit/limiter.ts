import type { SurveyedLimiter } from '../../runner/limiter.ts';

/** The middleware of Koa. */
export const limiter: SurveyedLimiter = {
  name: 'koa-ratelimit',
  language: 'JavaScript',
  ecosystem: 'npm',
  package: 'koa-ratelimit',
  version: '6.0.0',
  besides: { ioredis: '6.0.0', koa: '3.3.0' },
  documentation: 'https://github.com/koajs/ratelimit#options',
  remark:
    'With commandTimeout, callers get an error after 200 ms, but Redis counts their requests after the pause. ioredis stops waiting and does not withdraw the command.',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'Sliding',
    saidBy: { quote: 'max requests within duration', url: 'https://github.com/koajs/ratelimit#options' },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [{ key: 'limit:{key}', type: 'zset', holds: 'entries', note: 'admitted requests only' }],
  variants: [
    { name: 'default', what: 'default settings of ioredis', env: {} },
    { name: 'timeout', what: 'commandTimeout 200 ms', env: { TIMEOUT_MS: '200' } },
  ],
};
