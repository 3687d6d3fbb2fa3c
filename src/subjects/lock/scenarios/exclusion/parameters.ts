/** Exclusion in the API: its parameters and its measures. */
import { z } from 'zod';
import { durationField, type FaultApi } from '../../../../api/index.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { faultSchema } from '../../../scenarios/store-fault.ts';
import { BEHAVIOURS } from '../../checkers/holds.ts';

const schema = z.object({
  fault: faultSchema,
  callerTimeout: durationField(
    'How long a contender waits for an answer. It listens on after that: a late grant is a grant.',
    '100ms',
    '10s',
  ).default('1s'),
  keys: z
    .int()
    .min(1)
    .max(16)
    .default(4)
    .describe('Locks that are contended for at the same time, each with contenders on the pods.'),
  settle: durationField(
    'How long contenders continue after the fault. After that, and after the ttl, every slot of every key must be granted again by every pod.',
    '1s',
    '1m',
  ).default('5s'),
  accept: z.array(z.enum(BEHAVIOURS)).min(1).max(BEHAVIOURS.length).default(['Excludes', 'Denies']).meta({
    description:
      'Behaviors in the fault that are accepted; any other is Violated. So are double grants at any time, unless DoubleGrants is named. A fencing token that does not grow, and a slot that is not granted again, are always Violated. Leave it out with expect Violated.',
    'x-kubernetes-list-type': 'set',
  }),
});

export const api = {
  type: 'Exclusion',
  member: 'exclusion',
  schema: schema.describe('Has contenders acquire and release locks while Redis fails; for type Exclusion.'),
  conditionMeaning:
    'In this run, more than its slots of a lock were held at once, or the behavior in the fault was not an accepted one. Or a fencing token did not grow, or a slot was not granted again after the fault, the ttl and settle.',
  measures: [
    ...growing('grants', {
      doubleGrants:
        'Grants of a key whose slots were all held for certain: from the answer until the release was sent, or its ttl had passed.',
      staleTokens:
        'Grants whose fencing token is not larger than that of an earlier grant. Only with fencing.',
    }),
    ...growing('requests', {
      contended: 'Requests to acquire while all slots of their key were held for certain.',
    }),
    ...measures('requests', {
      granted: 'Grants in the fault.',
      acquires: 'Requests to acquire in the fault.',
    }),
    ...measures('keys', { stuckKeys: 'Keys of which a slot was not granted again.' }),
  ],
  finding: (_, summary) => `under contention: ${summary}`,
} as const satisfies FaultApi;

export type ExclusionSpec = z.output<typeof schema>;
