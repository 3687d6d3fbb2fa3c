/**
 * The rate limiter's additions to the API: its part of the spec, its faults, and its reasons for refusals and waits.
 */

import type { SubjectApi } from '../../api/index.ts';
import { REDIS_AUTH_SECRET_TYPE } from '../redis/admission/redis-auth.ts';
import { redisColumn } from '../redis/schema.ts';
import { HTTP_AUTH_SECRET_TYPE } from '../spec/pods-schema.ts';
import { OVER_ADMISSION } from './over-admission-histogram.ts';
import { SCENARIO_TYPES } from './scenarios/index.ts';
import { specRules } from './scenarios/spec-rules.ts';
import { PART, rateLimiterSchema } from './spec/schema.ts';

export const rateLimiterApi: SubjectApi = {
  member: PART,
  displayName: 'rate limiter',
  schema: rateLimiterSchema,
  rules: specRules,
  fieldsThatStartNoRun: ['health'],
  faults: SCENARIO_TYPES.map(({ api }) => api),
  columns: [redisColumn],
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
        '`username` and `password`. `service`: the names of the Services that it may be used with; default: its own name without `-auth` at the end. `ca.crt`: authorities for TLS; a Secret with both is sent only to servers with such a certificate. `serverName`: required with `tls.serverName`, and the same.',
    },
    {
      type: HTTP_AUTH_SECRET_TYPE,
      meaning:
        '`headers`: further headers of requests to the pods, one a line, at most 16 and 8,192 characters in total. `selector`: labels that the selector of the spec must require, such as `app=your-api`. `callers`: keys of accounts, one a line. `ca.crt`: authorities for TLS; a Secret with headers, too, is used only with such a certificate.',
    },
  ],
  histograms: [OVER_ADMISSION],
};
