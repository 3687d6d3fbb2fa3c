import type { SurveyedLimiter } from '../../runner/limiter.ts';

/** The middleware of Hono, with its own store for Redis. */
export const limiter: SurveyedLimiter = {
  name: 'hono-rate-limiter',
  language: 'JavaScript',
  ecosystem: 'npm',
  package: 'hono-rate-limiter',
  version: '0.5.4',
  besides: { redis: '6.3.1', hono: '4.13.19', '@hono/node-server': '2.1.9' },
  documentation: 'https://honohub.dev/docs/rate-limiter/stores/redis',
  remark: 'As with express-rate-limit, commandOptions.timeout of node-redis has no effect here.',
  args: ['{app}/server.mjs'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'Optional: Reset TTL on each hit',
      url: 'https://honohub.dev/docs/rate-limiter/stores/redis',
    },
    note: 'resetExpiryOnChange is false by default: the key expires a window after its first request.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'RateLimit-Remaining',
  store: [{ key: 'hrl:{key}', type: 'string', holds: 'used', note: 'counts denied requests too' }],
  variants: [
    { name: 'default', what: 'default settings of node-redis', env: {} },
    { name: 'timeout', what: 'commandOptions.timeout 200 ms', env: { TIMEOUT_MS: '200' } },
  ],
};
