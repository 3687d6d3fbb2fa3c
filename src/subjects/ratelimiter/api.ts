/** What the rate limiter adds to the API: its part of the spec, its faults, and why it refuses or waits. */
import type { SubjectApi } from '../../api/index.ts';
import { OVER_ADMISSION } from './over-admission-histogram.ts';
import { REMEDY_RULE } from './remedy.ts';
import { SCENARIO_TYPES } from './scenarios/index.ts';
import { HTTP_AUTH_SECRET_TYPE, MEMBER, REDIS_AUTH_SECRET_TYPE, rateLimiterSchema } from './schema.ts';

export const rateLimiterApi: SubjectApi = {
  type: 'RateLimiter',
  member: MEMBER,
  displayName: 'rate limiter',
  schema: rateLimiterSchema,
  fieldsThatStartNoRun: ['health'],
  faults: SCENARIO_TYPES.map(({ api }) => api),
  defaultScenarios: [
    { name: 'counter-drift', type: 'CounterDrift' },
    { name: 'ghost-allowing', type: 'GhostAllowing' },
  ],
  rules: [REMEDY_RULE],
  refusals: {
    RedisNotFound: 'The Redis Service, or a ready pod behind it, is missing.',
    RedisNotEligible: 'This kind of Redis Service or topology is not supported.',
    RedisUnreachable: 'The Redis does not answer, or refuses the credentials.',
    RedisAuthInvalid: `The Secret is missing, not of type ${REDIS_AUTH_SECRET_TYPE}, or not for this Service.`,
    HTTPAuthInvalid: `The Secret is missing, not of type ${HTTP_AUTH_SECRET_TYPE}, or not for these pods.`,
    SharedRedis: 'Clients that are neither selected pods nor the operator use this Redis.',
    PodsInUse:
      'Another ChaosDemo asks the same pods, and one of the two does so as one caller, by its source address; this one waits.',
    RedisInUse: 'Another ChaosDemo runs on the same Redis; this one waits.',
  },
  secrets: [
    {
      type: REDIS_AUTH_SECRET_TYPE,
      meaning:
        'How the operator logs in to the Redis behind a rate limiter: `username`, `password` and, for TLS, `ca.crt`. `service`: the names of the Services that it may be used with; without it, the one that stands in front of `-auth` in its own name.',
    },
    {
      type: HTTP_AUTH_SECRET_TYPE,
      meaning:
        'What requests to the pods of a limiter behind HTTP carry besides what the spec says. `selector`: labels of the pods that it may be used with, such as `app=your-api`; the selector of the spec has to ask for all of them. `headers`: one a line, 16 at most and 8,192 characters together. `ca.crt`: whom to trust, for TLS; without it, the authorities that Node.js ships with.',
    },
  ],
  histograms: [OVER_ADMISSION],
};
