import type { SurveyedLimiter } from '../../runner/limiter.ts';

const settings = 'https://django-ratelimit.readthedocs.io/en/stable/settings.html';

/** The decorator for views of Django, over its cache in Redis, under gunicorn. */
export const limiter: SurveyedLimiter = {
  name: 'django-ratelimit',
  language: 'Python',
  ecosystem: 'pip',
  package: 'django-ratelimit',
  version: '4.1.0',
  besides: { 'django-redis': '7.0.0', redis: '8.1.0', django: '5.2.19', gunicorn: '27.0.1' },
  documentation: 'https://django-ratelimit.readthedocs.io/en/stable/',
  remark:
    'RATELIMIT_FAIL_OPEN has no effect if Redis answers late: the client raises an error, and the view answers 500. Callers are admitted only if IGNORE_EXCEPTIONS of the cache swallows that error; IGNORE_EXCEPTIONS without RATELIMIT_FAIL_OPEN rejects them. Windows are staggered by caller, so the survey uses windows of an hour.',
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
    kind: 'FixedByClock',
    saidBy: {
      quote: 'windows are fixed, and staggered throughout a given period based on the key value',
      url: 'https://django-ratelimit.readthedocs.io/en/stable/upgrading.html#fixed-windows',
    },
    staggered: true,
    surveySeconds: 3600,
    note: 'The offset of a caller is the CRC-32 of the identity, modulo the window.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  store: [
    {
      key: ':1:rl:{hash}',
      type: 'string',
      holds: 'used',
      note: 'the hash is SHA-256 of view, rate, identity and end of the window; counts denied requests too',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of django-redis', env: {} },
    { name: 'timeout', what: 'SOCKET_TIMEOUT 0.2 s', env: { TIMEOUT_SECONDS: '0.2' } },
    {
      name: 'timeout-fail-open',
      what: 'SOCKET_TIMEOUT 0.2 s, RATELIMIT_FAIL_OPEN',
      env: { TIMEOUT_SECONDS: '0.2', FAIL_OPEN: 'true' },
      saysOfFailure: {
        quote: 'Whether to allow requests when the cache backend fails.',
        url: settings,
        means: ['FailsOpen', 'Enforces'],
      },
    },
    {
      name: 'timeout-ignore-exceptions',
      what: 'SOCKET_TIMEOUT 0.2 s, IGNORE_EXCEPTIONS of the cache',
      env: { TIMEOUT_SECONDS: '0.2', IGNORE_EXCEPTIONS: 'true' },
    },
    {
      name: 'timeout-ignore-exceptions-fail-open',
      what: 'SOCKET_TIMEOUT 0.2 s, IGNORE_EXCEPTIONS and RATELIMIT_FAIL_OPEN',
      env: { TIMEOUT_SECONDS: '0.2', IGNORE_EXCEPTIONS: 'true', FAIL_OPEN: 'true' },
      saysOfFailure: {
        quote: 'Whether to allow requests when the cache backend fails.',
        url: settings,
        means: ['FailsOpen', 'Enforces'],
      },
    },
  ],
};
