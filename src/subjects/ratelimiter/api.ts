/**
 * The rate limiter's additions to the API: its part of the spec, its faults, and its reasons for refusals and waits.
 */

import type { SubjectApi } from '../../api/index.ts';
import { REDIS_AUTH_SECRET_TYPE } from '../redis/admission/redis-auth.ts';
import { OVER_ADMISSION } from './over-admission-histogram.ts';
import { SCENARIO_TYPES } from './scenarios/index.ts';
import { specRules } from './scenarios/spec-rules.ts';
import { HTTP_AUTH_SECRET_TYPE, PART, rateLimiterSchema } from './spec/schema.ts';

export const rateLimiterApi: SubjectApi = {
  member: PART,
  displayName: 'rate limiter',
  schema: rateLimiterSchema,
  rules: specRules,
  fieldsThatStartNoRun: ['health'],
  faults: SCENARIO_TYPES.map(({ api }) => api),
  // It needs no knowledge of the counts, so it runs on any limiter.
  defaultScenarios: [{ name: 'outage', type: 'StoreOutage' }],
  refusals: [
    'RedisNotFound',
    'RedisNotEligible',
    'RedisUnreachable',
    'RedisAuthInvalid',
    'HTTPAuthInvalid',
    'SharedRedis',
    'PodsInUse',
    'TrafficLimit',
    'RedisInUse',
  ],
  secrets: [
    {
      type: REDIS_AUTH_SECRET_TYPE,
      meaning:
        'How the operator logs in to the Redis behind a rate limiter: `username`, `password` and, for TLS, `ca.crt`. `service`: the names of the Services that it may be used with. Without it, the Secret is only for the Service whose name is its own without `-auth` at the end.',
    },
    {
      type: HTTP_AUTH_SECRET_TYPE,
      meaning:
        'Headers that requests to the pods of a limiter behind HTTP carry in addition to those of the spec. `selector`: labels of the pods that it may be used with, such as `app=your-api`. The selector of the spec must require all of them. `headers`: one a line, at most 16 and at most 8,192 characters in total. `ca.crt`: the trusted authorities, for TLS. Without it, those that Node.js ships with.',
    },
  ],
  histograms: [OVER_ADMISSION],
};
