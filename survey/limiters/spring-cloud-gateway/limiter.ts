import type { SurveyedLimiter } from '../../runner/limiter.ts';

const factory =
  'https://docs.spring.io/spring-cloud-gateway/reference/spring-cloud-gateway-server-webflux/gatewayfilter-factories/requestratelimiter-factory.html';

/** The filter RequestRateLimiter of the gateway, before a route to a service in the same process. */
export const limiter: SurveyedLimiter = {
  name: 'spring-cloud-gateway',
  language: 'Java',
  ecosystem: 'maven',
  package: 'org.springframework.cloud:spring-cloud-starter-gateway-server-webflux',
  version: '5.0.4',
  besides: {
    'org.springframework.cloud:spring-cloud-dependencies': '2025.1.4',
    'org.springframework.boot:spring-boot-starter-parent': '4.0.7',
    'io.lettuce:lettuce-core': '6.8.2.RELEASE',
  },
  documentation: factory,
  remark:
    'It admits callers on any error, which its documentation does not mention. On a busy machine, 200 ms is reached without a fault, and a burst then exceeds the limit.',
  args: ['-jar', '{app}/app.jar'],
  healthPath: '/healthz',
  window: {
    kind: 'TokenBucket',
    refillEvery: '1s',
    saidBy: { quote: 'The algorithm used is the Token Bucket Algorithm.', url: factory },
    note: 'Refilled in steps of whole seconds: limit times a request divided by window comes back each second.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  store: [
    {
      key: 'request_rate_limiter.{hello.{key}}.tokens',
      type: 'string',
      holds: 'remaining',
      note: 'in tokens; a request costs as many as the window has seconds',
    },
    {
      key: 'request_rate_limiter.{hello.{key}}.timestamp',
      type: 'string',
      holds: 'other',
      note: 'the second of the last refill, since 1970',
    },
  ],
  variants: [
    { name: 'default', what: 'default settings of spring.data.redis.timeout: 60 s', env: {} },
    { name: 'timeout', what: 'spring.data.redis.timeout 200 ms', env: { TIMEOUT: '200ms' } },
  ],
};
