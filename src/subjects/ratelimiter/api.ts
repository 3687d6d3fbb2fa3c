/**
 * The rate limiter's additions to the API: its part of the spec, its faults, and its reasons for refusals and waits.
 */

import type { CelRule, HistogramApi, ScenarioStatus, SubjectApi } from '../../api/index.ts';
import { REDIS_AUTH_SECRET_TYPE } from '../redis/admission/redis-auth.ts';
import { redisColumn } from '../redis/schema.ts';
import type { ScenarioType } from '../scenarios/scenario-type.ts';
import { acceptRule, faultRules } from '../scenarios/store-fault.ts';
import { HTTP_AUTH_SECRET_TYPE } from '../spec/pods-schema.ts';
import { counterDrift } from './scenarios/counter-drift/index.ts';
import { ghostAllowing } from './scenarios/ghost-allowing/index.ts';
import { storeOutage } from './scenarios/store-outage/index.ts';
import { api as outageApi } from './scenarios/store-outage/plan.ts';
import { PART, rateLimiterSchema } from './spec/schema.ts';

/** In the order of the story. */
export const SCENARIO_TYPES: readonly ScenarioType[] = [counterDrift, ghostAllowing, storeOutage];

const HAS_COUNT = `!has(self.${PART}.http) || has(self.${PART}.redis.count)`;

/** What a spec contradicts in itself, whatever pods and Redis it finds: the API server refuses it by these rules. */
const specRules: readonly CelRule[] = [
  ...faultRules(PART, ['counterDrift', 'storeOutage'], {
    rule: HAS_COUNT,
    message: `removes the counts of the demo, and the names of their keys are not known: set ${PART}.redis.count`,
  }),
  {
    rule: `${HAS_COUNT} || self.scenarios.all(s, s.type != 'CounterDrift')`,
    message: `CounterDrift compares what was admitted with what was counted: set ${PART}.redis.count, the key of Redis that holds the count, or use StoreOutage or GhostAllowing`,
  },
  acceptRule(outageApi.member, outageApi.schema),
];

/**
 * How many requests limiters under test admitted over the limit. By the first of these measures that a scenario has:
 * over-admission itself, or the worst burst against the limit.
 */
export const OVER_ADMISSION: HistogramApi = {
  name: 'over_admission_requests',
  help: 'Requests admitted beyond the limit in a scenario that ended Violated or Held, by type. If a measure has atLeast, the true figure may be higher.',
  buckets: [0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
  of: ({ measures = [] }) => {
    const over = valueOf(measures, 'overAdmission');
    if (over) return Math.max(0, over.value);
    const admitted = valueOf(measures, 'admitted');
    return admitted?.bound === undefined ? undefined : Math.max(0, admitted.value - admitted.bound);
  },
};

function valueOf(measures: NonNullable<ScenarioStatus['measures']>, name: string) {
  return measures.find((measure) => measure.name === name);
}

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
