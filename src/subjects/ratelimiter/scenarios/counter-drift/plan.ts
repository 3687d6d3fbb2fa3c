/** The parameters of a scenario of counter drift on its rate limiter, and which specs can prove nothing. Pure. */

import { holdFor, mechanismOf } from '@chaosdemo/redis-faults';
import { z } from 'zod';
import {
  counted,
  durationField,
  type FaultApi,
  formatDuration,
  parseDuration,
} from '../../../../api/index.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { faultSchema } from '../../../scenarios/store-fault.ts';
import { wholeField } from '../../../spec/pods-schema.ts';
import type { Baseline } from '../../controls/tools.ts';
import { isCountable, named, rulesText } from '../../limits/counting.ts';
import type { Rules } from '../../limits/rate-limit.ts';
import { PART } from '../../spec/schema.ts';
import { LimiterPlan } from '../limiter-plan.ts';

const MOST_RATE = 1000;

const schema = z
  .object({
    fault: faultSchema,
    requestsPerSecond: wholeField(
      1,
      MOST_RATE,
      'Requests per second over all pods together while the fault lasts.',
    ).default(30),
    settle: durationField('How long to keep watching after the fault.', '1s', '1m').default('5s'),
  })
  .describe('Holds writes to Redis back and compares the counters; for type CounterDrift.');

export const api = {
  type: 'CounterDrift',
  member: 'counterDrift',
  schema,
  conditionMeaning: 'What the pods admitted drifted from what Redis counted, in this run.',
  measures: [
    ...growing('requests', {
      drift:
        'The largest lead of what the pods admitted over what Redis counted. Its bound is the tolerance (what 150 ms of the traffic bring, at most half of limit.requests) plus the lag without a fault.',
      overAdmission:
        'Requests that callers were admitted beyond the limit during the fault, by the responses that the sender got.',
      requests: 'Requests of the steady traffic that were sent.',
      admitted: 'Requests that were admitted.',
      rejected: 'Requests that were rejected because the limit was used up.',
      errors:
        'Requests that got a status of 500 or above, such as the 503 of a pod that got no reply from Redis.',
      timeouts: 'Requests that got no response in time, or whose connection broke.',
    }),
    ...measures('requests', {
      underCounted:
        'Requests that pods admitted and Redis had not counted in the end; a lower bound, since a limiter may count what it rejects. Left out if it is unknown.',
      controlAdmitted:
        'Requests that were admitted in Setup, without a fault and spread over time, of more than the limit. Its bound is the limit of the control key.',
    }),
  ],
  finding: (result, summary) =>
    result === 'Violated'
      ? `counters drift while Redis stalls (${summary})`
      : `counters stay within the bound while Redis stalls (${summary})`,
} as const satisfies FaultApi;

/**
 * The tolerance is the traffic of this interval. The lag was measured for only about a second, so a sync that is late
 * by less than this plus the two samples of a violation is no failure.
 */
const LATE_SYNC_MS = 150;

export class DriftPlan extends LimiterPlan<z.output<typeof schema>> {
  override readonly mechanism = mechanismOf(this.parameters.fault);
  override readonly rate = this.parameters.requestsPerSecond;
  readonly truth = { anomalies: [this.mechanism.cause], at: 'store' } as const;
  readonly faultMs = parseDuration(this.parameters.fault.duration);
  readonly settleMs = parseDuration(this.parameters.settle);
  readonly faultTitle = `${this.mechanism.title} for ${formatDuration(this.faultMs)}`;
  /** It has to fit into one window: counts are compared within it. */
  readonly storyMs = this.countdownMs + this.faultMs + this.settleMs + this.timeoutMs;
  /**
   * Drift that is not yet a violation, in requests: the traffic of {@link LATE_SYNC_MS}, but at most half of the limit.
   */
  readonly tolerance = Math.min(
    Math.ceil((this.rate * LATE_SYNC_MS) / 1000),
    Math.floor(this.part.limit.requests / 2),
  );
  readonly invariant =
    `the pods admit at most ${this.tolerance} requests, plus the lag of the baseline, that Redis has not counted (at ${this.rate} requests a second)`;

  /**
   * Lenient before Setup: the time for the proof of the pause, and the lag without a fault, which raises the bound, are
   * only known once measured.
   */
  unprovable(pods: number, baseline?: Pick<Baseline, 'lags' | 'rules' | 'writeMaxMs'>): string | undefined {
    const { called: name, faultMs, parameters, part, rate, scenario, tolerance } = this;
    const { requests } = part.limit;
    const { duration } = parameters.fault;
    const unsuited = uncountable(named(this.rules, baseline?.rules), baseline !== undefined);
    if (unsuited !== undefined) return `${name}: ${unsuited}`;
    if (!this.mechanism.holdsWrites) {
      return `${name}: CounterDrift needs a fault that holds writes of Redis back, and counterDrift.fault does not: use Stall without via, or StoreOutage`;
    }
    const fields = 'countdown, counterDrift.fault.duration, counterDrift.settle, and health.timeout';
    const late = this.tooLongForWindow(fields);
    if (late !== undefined) return late;
    // The proof takes at most half of the fault, and no traffic is sent before it.
    const proofMs = Math.min(holdFor(baseline?.writeMaxMs ?? 0), faultMs / 2);
    const checks = Math.floor((rate * (faultMs - proofMs)) / 1000);
    const sends = `counterDrift sends ${checks} checks (${rate} a second for what the proof leaves of ${duration})`;
    const most = pods * requests;
    if (scenario.expect === 'Held' && checks < most) {
      return `${name}: Held needs limit.requests ${requests} checks on each of ${counted(pods, 'pod')} = ${most}. But ${sends}: raise counterDrift.requestsPerSecond or fault.duration, or lower ${PART}.limit.requests`;
    }
    const lag = baseline?.lags.get(rate)?.lag ?? 0;
    const bound = tolerance + lag;
    if (checks > bound) return undefined;
    const what = lag > 0 ? `the tolerance and the lag without a fault (${lag}) are` : 'the tolerance is';
    return `${name}: ${sends}, and ${what} ${bound}: raise counterDrift.requestsPerSecond or fault.duration`;
  }
}

/** Why no count can be compared; undefined: one can, or Setup will show whether. */
function uncountable(rules: Rules, isMeasured: boolean): string | undefined {
  const others = rules.filter((rule) => !isCountable(rule));
  if (others.length === 0 || (!isMeasured && others.length < rules.length)) return undefined;
  return `CounterDrift needs a count that only grows within a window, whose end is known. The limiter may count in ${rulesText(others)}. Set ${PART}.limit.algorithm to SlidingWindow, or to FixedWindow with windowStart, or use StoreOutage or GhostAllowing`;
}
