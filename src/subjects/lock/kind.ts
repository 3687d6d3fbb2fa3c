/** The lock: its additions to the API, and what a run of it needs to know. */
import { counted, type SubjectApi } from '../../api/index.ts';
import { plansOf, podsOf, type SubjectKind } from '../scenarios/scenario-type.ts';
import { acceptRule, faultRules } from '../scenarios/store-fault.ts';
import { redisColumn } from '../spec/redis-schema.ts';
import { controlLock, type Toolkit } from './controls/control-lock.ts';
import { lockSetup } from './history/setup.ts';
import { lockRequestsOf } from './interfaces/lock-requests.ts';
import { exclusion } from './scenarios/exclusion/index.ts';
import { api } from './scenarios/exclusion/plan.ts';
import { type LockSpec, lockOf, lockSchema, PART } from './spec/schema.ts';

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
};

export const lockKind: SubjectKind<LockSpec> = {
  api: lockApi,
  types: [exclusion],
  partOf: lockOf,
  setup: lockSetup,
  recordedAs: 'lock',
  tools: (tools, lock): Toolkit => ({
    ...tools,
    lock,
    requests: lockRequestsOf(lock, tools.target.http?.headers),
  }),
  control: async (toolkit: Toolkit, { key }, signal) => await controlLock(toolkit, key, signal),
  welcome(spec, target) {
    const { slots, ttl = '-' } = lockOf(spec);
    const faults = plansOf(lockKind, spec).map(({ faultTitle }) => faultTitle);
    return `Lock with ${counted(slots, 'slot')}, ttl ${ttl}: ${podsOf(target)}, in ${target?.store ?? 'their Redis'}. ${faults.join('. Then: ')}`;
  },
};
