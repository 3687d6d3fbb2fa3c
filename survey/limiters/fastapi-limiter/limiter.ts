import type { SurveyedLimiter } from '../../runner/limiter.ts';

/**
 * The dependency of FastAPI, under uvicorn; the last release that counts in Redis itself (0.2 leaves that to
 * another package, and keeps one count for all callers).
 */
export const limiter: SurveyedLimiter = {
  name: 'fastapi-limiter',
  language: 'Python',
  ecosystem: 'pip',
  package: 'fastapi-limiter',
  version: '0.1.6',
  besides: { redis: '8.1.0', fastapi: '0.165.0', uvicorn: '0.54.0' },
  documentation: 'https://pypi.org/project/fastapi-limiter/0.1.6/',
  args: ['-m', 'uvicorn', '--app-dir', '{app}', '--host', '{host}', '--port', '{port}', 'app:app'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'allow 2 times request per 5 seconds',
      url: 'https://pypi.org/project/fastapi-limiter/0.1.6/',
    },
    note: 'The key expires a window after its first request; seen in its script.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  store: [
    {
      key: 'fastapi-limiter:{key}:{number}:{number}',
      type: 'string',
      holds: 'used',
      note: 'admitted requests only; the numbers are those of route and dependency',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of redis.asyncio', env: {} },
    { name: 'timeout', what: 'socket_timeout 0.2 s', env: { TIMEOUT_SECONDS: '0.2' } },
  ],
};
