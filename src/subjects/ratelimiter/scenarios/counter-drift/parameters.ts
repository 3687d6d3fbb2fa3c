/** CounterDrift in the API: its parameters, its rules, and which specs can prove nothing. */
import { holdFor } from '@chaosdemo/redis-faults';
import { z } from 'zod';
import {
  counted,
  durationField,
  type FaultApi,
  parseDuration,
  type ScenarioSpec,
} from '../../../../api/index.ts';
import { CONTROL_MEASURE } from '../../checkers/controls.ts';
import type { Baseline } from '../../interfaces/baseline.ts';
import { PART, type RateLimiterSpec } from '../../spec/schema.ts';
import { parametersBy, sumOf, tooLongForWindow } from '../scenario-type.ts';
import { faultSchema, mechanismIn } from '../store-fault.ts';

const MOST_RATE = 1000;

/**
 * The tolerance is the traffic of this interval. The lag was measured for only about a second, so a sync that is late
 * by less than this plus the two samples of a violation is no failure.
 */
const LATE_SYNC_MS = 150;

const schema = z
  .object({
    fault: faultSchema,
    requestsPerSecond: z
      .int()
      .min(1)
      .max(MOST_RATE)
      .default(30)
      .describe('Requests per second over all pods together while the fault lasts.'),
    settle: durationField('How long to keep watching after the fault.', '1s', '1m').default('5s'),
  })
  .describe('Holds writes to Redis back and compares the counters; for type CounterDrift.');

export const api = {
  type: 'CounterDrift',
  member: 'counterDrift',
  schema,
  conditionMeaning: 'What the pods admitted drifted from what Redis counted, in this run.',
  measures: [
    {
      name: 'drift',
      unit: 'requests',
      grows: true,
      meaning:
        'The largest lead of what the pods admitted over what Redis counted. The responses to the sender show what was admitted. Its bound is the tolerance (what 150 ms of the traffic bring, at most half of limit.requests) plus the lag without a fault.',
    },
    {
      name: 'overAdmission',
      unit: 'requests',
      grows: true,
      meaning:
        'Requests that callers were admitted beyond the limit during the fault, by the answers that the sender got.',
    },
    {
      name: 'requests',
      unit: 'requests',
      grows: true,
      meaning: 'Requests of the steady traffic that were sent.',
    },
    { name: 'admitted', unit: 'requests', grows: true, meaning: 'Requests that were admitted.' },
    {
      name: 'rejected',
      unit: 'requests',
      grows: true,
      meaning: 'Requests that were rejected because the limit was used up.',
    },
    {
      name: 'errors',
      unit: 'requests',
      grows: true,
      meaning:
        'Requests that were answered with a status of 500 or above, such as the 503 of a pod that got no answer from Redis.',
    },
    {
      name: 'timeouts',
      unit: 'requests',
      grows: true,
      meaning: 'Requests that were not answered in time, or whose connection broke.',
    },
    {
      name: 'underCounted',
      unit: 'requests',
      meaning:
        'Requests that pods admitted and Redis had not counted in the end; a lower bound, since a limiter may count what it rejects. Left out if it is unknown.',
    },
    CONTROL_MEASURE,
  ],
  finding: (result, summary) =>
    result === 'Violated'
      ? `counters drift while Redis stalls (${summary})`
      : `counters stay within the bound while Redis stalls (${summary})`,
} as const satisfies FaultApi;

export type CounterDriftSpec = z.output<typeof schema>;

export const parametersOf: (scenario: ScenarioSpec) => CounterDriftSpec = parametersBy(api);

/**
 * Drift that is not yet a violation, in requests: the traffic of {@link LATE_SYNC_MS}, but at most half of the limit.
 */
export function toleranceOf(scenario: ScenarioSpec, { limit }: RateLimiterSpec): number {
  const { requestsPerSecond } = parametersOf(scenario);
  const late = Math.ceil((requestsPerSecond * LATE_SYNC_MS) / 1000);
  return Math.min(late, Math.floor(limit.requests / 2));
}

/** The length of a scenario, which has to fit into one window: counts are compared within it. */
export function storyMs(scenario: ScenarioSpec, { health }: Pick<RateLimiterSpec, 'health'>): number {
  const { fault, settle } = parametersOf(scenario);
  return sumOf(scenario.countdown, fault.duration, settle, health.timeout);
}

/**
 * Why no run on this many pods can end as expected. Lenient before Setup: the time for the proof of the pause, and the
 * lag without a fault, which raises the bound, are only known once measured.
 */
export function unprovable(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
  baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>,
): string | undefined {
  const { limit } = limiter;
  const { fault, requestsPerSecond } = parametersOf(scenario);
  const proofMs = holdFor(baseline?.writeMaxMs ?? 0);
  const lag = baseline?.lags.get(requestsPerSecond)?.lag ?? 0;
  const bound = toleranceOf(scenario, limiter) + lag;
  const what = lag > 0 ? `the tolerance and the lag without a fault (${lag}) are` : 'the tolerance is';
  const most = pods * limit.requests;
  const name = `scenario ${scenario.name}`;
  const unsuited = uncountable(limiter);
  if (unsuited !== undefined) return `${name}: ${unsuited}`;
  if (!mechanismIn(fault, limiter).holdsWrites) {
    return `${name}: CounterDrift needs a fault that holds writes of Redis back, and counterDrift.fault does not: use Stall without via, or StoreOutage`;
  }
  const fields = 'countdown, counterDrift.fault.duration, counterDrift.settle, and health.timeout';
  const late = tooLongForWindow(scenario, limiter, storyMs(scenario, limiter), fields);
  if (late !== undefined) return late;
  // The proof takes at most half of the fault, and no traffic is sent before it.
  const faultMs = parseDuration(fault.duration);
  const checks = Math.floor((requestsPerSecond * (faultMs - Math.min(proofMs, faultMs / 2))) / 1000);
  const sends = `counterDrift sends ${checks} checks (${requestsPerSecond} a second for what the proof leaves of ${fault.duration})`;
  if (scenario.expect === 'Held' && checks < most) {
    return `${name}: Held needs limit.requests ${limit.requests} checks on each of ${counted(pods, 'pod')} = ${most}. But ${sends}: raise counterDrift.requestsPerSecond or fault.duration, or lower ${PART}.limit.requests`;
  }
  if (checks <= bound) {
    return `${name}: ${sends}, and ${what} ${bound}: raise counterDrift.requestsPerSecond or fault.duration`;
  }
  return undefined;
}

/** Why no count can be read that only grows within a window; undefined: one can. */
function uncountable({ http, limit }: RateLimiterSpec): string | undefined {
  if (http.identity === 'SourceAddress') {
    return `CounterDrift measures without a fault how far counts lag, with separate callers, and with ${PART}.http.identity SourceAddress there is one caller: use StoreOutage or GhostAllowing`;
  }
  if (limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow') return undefined;
  return `CounterDrift needs a count that only grows within a window, so ${PART}.limit.algorithm FixedWindow or SlidingWindow, not ${limit.algorithm}: use StoreOutage or GhostAllowing`;
}
