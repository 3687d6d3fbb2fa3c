import type { FailureSaying, SurveyedLimiter } from '../../runner/limiter.ts';

const configuration = 'https://flask-limiter.readthedocs.io/en/stable/configuration.html';
const strategies = 'https://flask-limiter.readthedocs.io/en/stable/strategies.html';
const swallow: FailureSaying = {
  quote: 'will effectively disable rate limiting for requests where an error has occurred',
  url: configuration,
  means: ['FailsOpen', 'Enforces'],
  onError: true,
};
const fallback: FailureSaying = {
  quote: 'an in memory rate limiter will be used as a fallback when the configured storage is down',
  url: configuration,
  means: ['FailsOpen', 'Enforces'],
  onError: true,
};

/** The extension of Flask, under gunicorn. */
export const limiter: SurveyedLimiter = {
  name: 'flask-limiter',
  language: 'Python',
  ecosystem: 'pip',
  package: 'flask-limiter',
  version: '4.1.1',
  besides: { limits: '5.8.0', redis: '7.4.1', flask: '3.1.3', gunicorn: '27.0.1' },
  documentation: 'https://flask-limiter.readthedocs.io/en/stable/',
  remark:
    'Without a timeout of the client, neither swallow_errors nor the fallback takes effect. The fallback checks with PING whether Redis is back, and Redis answers PING during the pause. So it returns to Redis repeatedly, and some callers get an error each time.',
  // One process a pod; threads, so that one that waits does not hold up all others.
  args: [
    '-m',
    'gunicorn',
    '--chdir',
    '{app}',
    '--bind',
    '{host}:{port}',
    '--no-control-socket',
    '--worker-class',
    'gthread',
    '--threads',
    '64',
    'app:app',
  ],
  healthPath: '/healthz',
  window: {
    kind: 'FixedFromFirstRequest',
    saidBy: {
      quote: 'When the first request arrives, a window is started for a fixed duration',
      url: strategies,
    },
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-RateLimit-Remaining',
  store: [
    {
      key: 'LIMITS:LIMITER/{key}/hello/{number}/{number}/second',
      type: 'string',
      holds: 'used',
      note: 'limit and window in seconds are part of the key; counts denied requests too',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of redis-py', env: {} },
    {
      name: 'moving-window',
      what: "strategy 'moving-window'",
      env: { STRATEGY: 'moving-window' },
      window: {
        kind: 'Sliding',
        saidBy: { quote: "adds each request's timestamp to a log", url: strategies },
      },
      store: [
        {
          key: 'LIMITS:LIMITER/{key}/hello/{number}/{number}/second',
          type: 'list',
          holds: 'entries',
          note: 'admitted requests only',
        },
      ],
    },
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
