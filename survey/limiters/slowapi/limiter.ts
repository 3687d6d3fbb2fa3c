import type { FailureSaying, SurveyedLimiter } from '../../runner/limiter.ts';

const api = 'https://slowapi.readthedocs.io/en/latest/api/';
const swallow: FailureSaying = {
  quote: 'whether to swallow errors when hitting a rate limit. An exception will still be logged.',
  url: api,
  means: ['FailsOpen', 'Enforces'],
  onError: true,
};
const fallback: FailureSaying = {
  quote: 'simply falls back to in memory storage when the main storage is down',
  url: api,
  means: ['FailsOpen', 'Enforces'],
  onError: true,
};

/** The extension of FastAPI that descends from flask-limiter, under uvicorn. */
export const limiter: SurveyedLimiter = {
  name: 'slowapi',
  language: 'Python',
  ecosystem: 'pip',
  package: 'slowapi',
  version: '0.1.10',
  besides: { limits: '5.8.0', redis: '7.4.1', fastapi: '0.165.0', uvicorn: '0.54.0' },
  documentation: 'https://slowapi.readthedocs.io/en/latest/',
  remark:
    'With swallow_errors, callers get 500: after the error is swallowed, a value for the headers of the answer is missing. The limiter waits for Redis in the event loop, so with a timeout of 0.2 s it answers five requests per second, with an error. About nine of ten requests wait, which is the border between Hangs and Mixed.',
  args: ['-m', 'uvicorn', '--app-dir', '{app}', '--host', '{host}', '--port', '{port}', 'app:app'],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'the actual rate limiting work is done by limits',
      url: 'https://github.com/laurents/slowapi#credits',
    },
    note: 'The key expires a window after its first request; seen in the script of the package limits.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [
    {
      key: 'LIMITS:LIMITER/{key}///{number}/{number}/second',
      type: 'string',
      holds: 'used',
      note: 'limit and window in seconds are part of the key; counts denied requests too',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of redis-py', env: {} },
    {
      name: 'swallow-errors',
      what: 'swallow_errors',
      env: { SWALLOW_ERRORS: 'true' },
      saysOfFailure: swallow,
    },
    {
      name: 'memory-fallback',
      what: 'in_memory_fallback_enabled',
      env: { IN_MEMORY_FALLBACK: 'true' },
      saysOfFailure: fallback,
    },
    { name: 'timeout', what: 'socket_timeout 0.2 s', env: { TIMEOUT_SECONDS: '0.2' } },
    {
      name: 'timeout-swallow-errors',
      what: 'socket_timeout 0.2 s, swallow_errors',
      env: { TIMEOUT_SECONDS: '0.2', SWALLOW_ERRORS: 'true' },
      saysOfFailure: swallow,
    },
    {
      name: 'timeout-memory-fallback',
      what: 'socket_timeout 0.2 s, in_memory_fallback_enabled',
      env: { TIMEOUT_SECONDS: '0.2', IN_MEMORY_FALLBACK: 'true' },
      saysOfFailure: fallback,
    },
  ],
};
