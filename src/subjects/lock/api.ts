/** The lock's additions to the API: its part of the spec and its scenario type. */
import type { SubjectApi } from '../../api/index.ts';
import { redisColumn } from '../redis/schema.ts';
import { acceptRule, faultRules } from '../scenarios/store-fault.ts';
import { api } from './scenarios/exclusion/plan.ts';
import { lockSchema, PART } from './spec/schema.ts';

export const lockApi: SubjectApi = {
  member: PART,
  displayName: 'lock',
  schema: lockSchema,
  rules: [
    ...faultRules(PART, [api.member], {
      rule: `has(self.${PART}.redis.key)`,
      message: `removes the keys of the demo's locks: name them in ${PART}.redis.key, lock:$(key) for example`,
    }),
    acceptRule(api.member, api.schema),
  ],
  fieldsThatStartNoRun: ['health'],
  faults: [api],
  columns: [redisColumn],
  defaultScenarios: [{ name: 'exclusion', type: api.type }],
  // Those of Redis and of pods are documented with the rate limiter.
  refusals: [],
  secrets: [],
  histograms: [],
};
