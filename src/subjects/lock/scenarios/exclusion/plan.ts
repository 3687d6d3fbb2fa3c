/** Contention for locks around a fault, and which specs can show nothing. Pure. */
import { mechanismOf } from '@chaosdemo/redis-faults';
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import { ScenarioPlan } from '../../../scenarios/scenario-type.ts';
import { continuing, faultProblem } from '../../../scenarios/store-fault.ts';
import { type LockSpec, longestHoldMs, PART, ttlOf } from '../../spec/schema.ts';
import { api, type ExclusionSpec } from './parameters.ts';

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
  readonly callerTimeoutMs = parseDuration(this.parameters.callerTimeout);
  /** How long contenders continue after the fault. */
  readonly recoverMs = parseDuration(this.parameters.settle);
  readonly ttlMs = ttlOf(this.part);
  override readonly lingerMs = this.mechanism.lasts === 'Lingers' ? this.recoverMs : 0;
  /** How long slots may take to be granted again once contenders have stopped. */
  readonly returnsWithinMs = RETURN_MS + (Number.isFinite(this.ttlMs) ? this.ttlMs : 0);
  /** With what contenders hold or wait for when they stop. */
  readonly settleMs = this.recoverMs + LONG_MS[1] + 4 * this.callerTimeoutMs + this.returnsWithinMs;
  readonly storyMs = this.countdownMs + this.faultMs + this.settleMs;

  constructor(scenario: ScenarioSpec, lock: LockSpec) {
    super(scenario, lock, api);
  }

  get faultTitle(): string {
    return `${this.mechanism.title}${continuing(this.mechanism, formatDuration(this.faultMs))}`;
  }

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
    const [name, perKey] = [`scenario ${this.scenario.name}`, this.contenders(pods)];
    const problem = faultProblem(this, this.part, PART, api.member);
    if (problem !== undefined) return problem;
    if (keys * perKey > MOST_CONTENDERS) {
      return `${name}: ${keys} keys with ${perKey} contenders each are ${keys * perKey}, at most ${MOST_CONTENDERS} are possible: lower exclusion.keys, or give the semaphore fewer slots for the test`;
    }
    if (this.mechanism.lasts === 'ForGood' || this.faultMs > this.callerTimeoutMs) return undefined;
    return `${name}: a contender must be able to time out in the fault, and exclusion.fault.duration ${fault.duration} is no longer than callerTimeout ${callerTimeout}: lengthen the fault`;
  }
}

const between = ([from, to]: readonly [number, number], random: () => number): number =>
  from + random() * (to - from);
