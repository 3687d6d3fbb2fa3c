/** What a run of a lock needs to know of it. */
import { counted } from '../../api/index.ts';
import { podsOf } from '../scenarios/scenario-type.ts';
import { plansOf, type SubjectKind } from '../scenarios/subject-kind.ts';
import { lockApi } from './api.ts';
import { controlLock, type Toolkit } from './controls/control-lock.ts';
import { lockSetup } from './history/setup.ts';
import { LockRequests } from './interfaces/lock-requests.ts';
import { exclusion } from './scenarios/exclusion/index.ts';
import { type LockSpec, lockOf, PART } from './spec/schema.ts';

export const lockKind: SubjectKind<LockSpec> = {
  api: lockApi,
  part: PART,
  types: [exclusion],
  partOf: lockOf,
  setup: lockSetup,
  recordedAs: 'lock',
  tools: (tools, lock): Toolkit => ({
    ...tools,
    lock,
    requests: new LockRequests(lock, tools.target.http?.headers),
  }),
  control: async (toolkit: Toolkit, { key }, signal) => await controlLock(toolkit, key, signal),
  welcome(spec, target) {
    const { slots, ttl = '-' } = lockOf(spec);
    const faults = plansOf(lockKind, spec).map(({ faultTitle }) => faultTitle);
    return `Lock with ${counted(slots, 'slot')}, ttl ${ttl}: ${podsOf(target)}, in ${target?.store ?? 'their Redis'}. ${faults.join('. Then: ')}`;
  },
};
