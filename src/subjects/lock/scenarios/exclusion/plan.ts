/** Contention for locks around a fault, and which specs can show nothing. Pure. */

import { mechanismOf } from '@chaosdemo/redis-faults';
import { z } from 'zod';
import {
  counted,
  durationField,
  type FaultApi,
  formatDuration,
  parseDuration,
} from '../../../../api/index.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { ScenarioPlan } from '../../../scenarios/scenario-plan.ts';
import { faultProblem, faultSchema, titleOf } from '../../../scenarios/store-fault.ts';
import { wholeField } from '../../../spec/pods-schema.ts';
import { PRICES, priceSchema } from '../../../spec/price-schema.ts';
import { BEHAVIOURS } from '../../checkers/holds.ts';
import { type LockSpec, longestHoldMs, PART, ttlOf } from '../../spec/schema.ts';

const schema = z.object({
  fault: faultSchema,
  callerTimeout: durationField(
    'How long a contender waits for a response. It listens on after that: a late grant is a grant.',
    '100ms',
    '10s',
  ).default('1s'),
  keys: wholeField(
    1,
    16,
    'Locks that are contended for at the same time, each with contenders on the pods.',
  ).default(4),
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
  price: priceSchema,
});

export const api = {
  type: 'Exclusion',
  member: 'exclusion',
  schema: schema.describe('Has contenders acquire and release locks while Redis fails; for type Exclusion.'),
  conditionMeaning:
    'In this run, more than its slots of a lock were held at once, or the behavior in the fault was not an accepted one. Or a fencing token did not grow, or a slot was not granted again after the fault, the ttl and settle. Or the fault cost more than its price.',
  measures: [
    ...growing('grants', {
      doubleGrants:
        'Grants of a key whose slots were all held for certain: from the response until the release was sent, or its ttl had passed.',
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
    ...measures('%', PRICES),
  ],
  finding: (_, summary) => `under contention: ${summary}`,
} as const satisfies FaultApi;

export type ExclusionSpec = z.output<typeof schema>;

/** Most holds, and one of this many that lasts long enough to span the start or the end of a fault; milliseconds. */
const [HOLD_MS, LONG_MS, ONE_IN] = [[50, 500], [1000, 3000], 4] as const;
/** How long a contender waits before it asks; milliseconds. */
const WAIT_MS = [50, 250] as const;
/** Contenders of a key, if its slots need no more; and of all keys. */
const [MOST_OF_KEY, MOST_CONTENDERS] = [8, 300] as const;
/** Requests a second of one contender, about. */
const RATE = 6;
/** How long every slot may take to be granted again, besides the ttl; milliseconds. */
const RETURN_MS = 3000;

export class ExclusionPlan extends ScenarioPlan<ExclusionSpec, LockSpec> {
  override readonly mechanism = mechanismOf(this.parameters.fault);
  readonly faultMs = parseDuration(this.parameters.fault.duration);
  readonly faultTitle = titleOf(this);
  readonly callerTimeoutMs = parseDuration(this.parameters.callerTimeout);
  readonly price = this.parameters.price;
  /** How long contenders continue after the fault. */
  readonly recoverMs = parseDuration(this.parameters.settle);
  readonly sendAfterMs = this.recoverMs;
  readonly watchedAfterMs = this.recoverMs;
  readonly ttlMs = ttlOf(this.part);
  override readonly lingerMs = this.mechanism.lasts === 'Lingers' ? this.recoverMs : 0;
  /** How long slots may take to be granted again once contenders have stopped. */
  readonly returnsWithinMs = RETURN_MS + (Number.isFinite(this.ttlMs) ? this.ttlMs : 0);
  /** With what contenders hold or wait for when they stop. */
  readonly settleMs = this.recoverMs + LONG_MS[1] + 4 * this.callerTimeoutMs + this.returnsWithinMs;
  readonly storyMs = this.countdownMs + this.faultMs + this.settleMs;

  get invariant(): string {
    const { accept, settle } = this.parameters;
    const { slots, ttl } = this.part;
    const held = accept.includes('DoubleGrants')
      ? ''
      : `a lock has at most ${counted(slots, 'holder')} at once; `;
    const within = parseDuration(settle) + parseDuration(ttl ?? '0s');
    return `${held}contenders get only ${accept.join(' or ')}; every slot is granted again within ${formatDuration(within)} after it`;
  }

  keysOf(fixture: string): string[] {
    return Array.from({ length: this.parameters.keys }, (_, i) => `${fixture}-l${i}`);
  }

  /** Of each key: two on a pod, and more than it has slots. */
  contenders(pods: number): number {
    return Math.max(this.part.slots + 1, Math.min(2 * pods, MOST_OF_KEY));
  }

  /** How long a contender holds. @param random from 0 to below 1 */
  holdMs(random: () => number): number {
    return Math.min(between(random() * ONE_IN < 1 ? LONG_MS : HOLD_MS, random), longestHoldMs(this.part));
  }

  waitMs(random: () => number): number {
    return between(WAIT_MS, random);
  }

  override trafficTo(pods: number): number {
    return this.parameters.keys * this.contenders(pods) * RATE;
  }

  unprovable(pods: number): string | undefined {
    const { callerTimeout, fault, keys } = this.parameters;
    const perKey = this.contenders(pods);
    const problem = faultProblem(this, PART, api.member);
    if (problem !== undefined) return problem;
    if (keys * perKey > MOST_CONTENDERS) {
      return `${this.called}: ${keys} keys with ${perKey} contenders each are ${keys * perKey}, at most ${MOST_CONTENDERS} are possible: lower exclusion.keys, or give the semaphore fewer slots for the test`;
    }
    if (this.mechanism.lasts === 'ForGood' || this.faultMs > this.callerTimeoutMs) return undefined;
    return `${this.called}: a contender must be able to time out in the fault, and exclusion.fault.duration ${fault.duration} is no longer than callerTimeout ${callerTimeout}: lengthen the fault`;
  }
}

const between = ([from, to]: readonly [number, number], random: () => number): number =>
  from + random() * (to - from);
