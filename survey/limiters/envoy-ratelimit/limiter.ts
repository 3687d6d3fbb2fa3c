import type { SurveyedLimiter } from '../../runner/limiter.ts';

const readme = 'https://github.com/envoyproxy/ratelimit';

/** The rate limit service of Envoy, queried over its HTTP endpoint as Envoy queries it over gRPC. */
export const limiter: SurveyedLimiter = {
  name: 'envoy-ratelimit',
  language: 'Go',
  ecosystem: 'go',
  package: 'github.com/envoyproxy/ratelimit',
  version: 'v1.4.1-0.20260122083618-3fb702589d36',
  besides: {},
  documentation: `${readme}#overview`,
  remark:
    'This measures the service over `/json`, without Envoy. Callers of Envoy go through its rate limit filter, whose own `timeout` and `failure_mode_deny` decide, and which was not measured. REDIS_TIMEOUT does not end a command that Redis holds back: with 200 ms as with 10 s, answers come after the pause. The [pull request](https://github.com/envoyproxy/ratelimit/pull/987) that added it was tested with a paused Redis; a [later one](https://github.com/envoyproxy/ratelimit/pull/1188) states that with radix v4, which this version has, REDIS_TIMEOUT limits only connecting. The local cache answers the caller over its limit at once; all others hang.',
  args: [],
  goPackage: 'github.com/envoyproxy/ratelimit/src/service_cmd',
  env: {
    REDIS_SOCKET_TYPE: 'tcp',
    REDIS_URL: '{redisHost}:{redisPort}',
    REDIS_AUTH: '{redisAuth}',
    RUNTIME_ROOT: '{files}',
    RUNTIME_SUBDIRECTORY: 'ratelimit',
    RUNTIME_WATCH_ROOT: 'false',
    USE_STATSD: 'false',
    GRPC_UDS: '{files}/grpc.sock',
    DEBUG_HOST: '{host}',
    DEBUG_PORT: '0',
  },
  files: {
    'ratelimit/config/survey.yaml': [
      'domain: survey',
      'descriptors:',
      '  - key: caller',
      '    rate_limit:',
      '      unit: {windowUnit}',
      '      requests_per_unit: {limit}',
      '',
    ].join('\n'),
  },
  healthPath: '/healthcheck',
  window: {
    kind: 'FixedByClock',
    saidBy: {
      quote: 'Currently the service supports per second, minute, hour, and day limits.',
      url: `${readme}#rate-limit-definition`,
    },
    seconds: [1, 60, 3600, 86_400],
    note: 'The time that the key holds is the beginning of the unit, in seconds since 1970.',
  },
  request: {
    method: 'POST',
    path: '/json',
    headers: { 'content-type': 'application/json' },
    body: '{"domain":"survey","descriptors":[{"entries":[{"key":"caller","value":"{key}"}]}]}',
  },
  admitted: [200],
  rejected: [429],
  store: [
    {
      key: 'survey_caller_{key}_{number}',
      type: 'string',
      holds: 'used',
      note: 'the number is the beginning of the unit; counts denied requests too',
    },
  ],
  variants: [
    {
      name: 'default',
      what: 'REDIS_TIMEOUT 10 s',
      env: {},
      saysOfFailure: {
        quote: 'sets the timeout for Redis connection and I/O operations. Default: 10s',
        url: `${readme}#connection-timeout`,
      },
    },
    {
      name: 'timeout',
      what: 'REDIS_TIMEOUT 200 ms',
      env: { REDIS_TIMEOUT: '200ms' },
      saysOfFailure: {
        quote: 'sets the timeout for Redis connection and I/O operations',
        url: `${readme}#connection-timeout`,
        // The service answers an error of Redis with its own error.
        means: ['FailsClosed'],
      },
    },
    {
      name: 'local-cache',
      what: 'LOCAL_CACHE_SIZE_IN_BYTES: callers over the limit are rejected without Redis',
      env: { LOCAL_CACHE_SIZE_IN_BYTES: '1000000' },
      saysOfFailure: {
        quote: 'avoids reading the redis cache again for the already over-the-limit keys',
        url: `${readme}#local-cache`,
      },
    },
  ],
};
