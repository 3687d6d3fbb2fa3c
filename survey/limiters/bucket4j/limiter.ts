import type { FailureSaying, SurveyedLimiter } from '../../runner/limiter.ts';

const guide = 'https://github.com/bucket4j/bucket4j#readme';
const clientSide =
  'https://github.com/bucket4j/bucket4j/blob/master/asciidoc/src/main/docs/asciidoc/distributed-advanced/client-side-configuration.adoc';
const saysOfFailure: FailureSaying = {
  quote: 'When the timeout is exceeded, a TimeoutException will be thrown.',
  url: clientSide,
  means: ['FailsClosed'],
};

/** A filter of Spring Boot around a bucket that Lettuce keeps in Redis. */
export const limiter: SurveyedLimiter = {
  name: 'bucket4j',
  language: 'Java',
  ecosystem: 'maven',
  package: 'com.bucket4j:bucket4j_jdk17-lettuce',
  version: '8.19.0',
  besides: {
    'org.springframework.boot:spring-boot-starter-parent': '4.0.7',
    'io.lettuce:lettuce-core': '6.8.2.RELEASE',
  },
  documentation: guide,
  remark:
    'With Optimizations.delaying, each process admits from its own count, so a caller exceeds the limit without a fault. The documentation gives no bound, so the baseline check fails and no fault is injected.',
  args: ['-jar', '{app}/app.jar'],
  healthPath: '/healthz',
  window: {
    kind: 'TokenBucket',
    saidBy: {
      quote: 'Java rate-limiting library based on token-bucket algorithm',
      url: guide,
    },
    note: 'refillGreedy: one request comes back each window divided by limit.',
  },
  request: { method: 'GET', path: '/', headers: { 'x-api-key': '{key}' } },
  admitted: [200],
  rejected: [429],
  remainingHeader: 'X-Rate-Limit-Remaining',
  store: [
    {
      key: 'bucket:{key}',
      type: 'string',
      holds: 'other',
      note: 'a binary format of its own: configuration, tokens and the time of the last refill',
    },
  ],
  variants: [
    { name: 'default', what: 'no requestTimeout', env: {} },
    {
      name: 'timeout',
      what: 'requestTimeout 200 ms',
      env: { TIMEOUT_MS: '200' },
      saysOfFailure,
    },
    {
      name: 'delayed-sync',
      what: 'Optimizations.delaying: up to 5 requests, or 1 s, are counted only in the process',
      env: { DELAY_TOKENS: '5' },
      admits: 'limit at each process',
    },
    {
      name: 'delayed-sync-timeout',
      what: 'as before, and requestTimeout 200 ms',
      env: { DELAY_TOKENS: '5', TIMEOUT_MS: '200' },
      saysOfFailure,
      admits: 'limit at each process',
    },
  ],
};
