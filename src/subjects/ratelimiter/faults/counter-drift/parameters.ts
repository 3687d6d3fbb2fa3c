/** CounterDrift in the API: its parameters, its rules, and which specs can prove nothing. */
import { z } from 'zod';
import {
  type CelRule,
  counted,
  durationField,
  type FaultApi,
  fieldInCel,
  ifDurations,
  parseDuration,
  type ScenarioSpec,
} from '../../../../api/index.ts';
import type { Baseline } from '../../baseline.ts';
import { CONTROL_MEASURE } from '../../controls.ts';
import type { CountSource } from '../../interfaces/counts.ts';
import { isReference } from '../../interfaces/reference/preset.ts';
import { MOST_REQUESTS, PART, type RateLimiterSpec } from '../../schema.ts';
import { holdFor } from '../../store/write-probe.ts';
import { numberInCel, parametersBy, scenarioRule } from '../fault.ts';

const MOST_THRESHOLD = 100_000;
const MOST_RATE = 1000;

/**
 * Traffic of so long is the threshold, unless the spec says another: the lag was the largest of a second or so,
 * and a sync that is late by less than this, and the two samples that a break takes, is no failure.
 */
const LATE_SYNC_MS = 150;

const schema = z
  .object({
    pause: durationField('How long Redis takes no writes.', '1s', '1m').default('10s'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(MOST_RATE)
      .default(30)
      .describe('Requests per second over all pods together while the pause lasts.'),
    threshold: z
      .int()
      .min(0)
      .max(MOST_THRESHOLD)
      .optional()
      .describe(
        'Drift above this, plus the lag measured without a fault, breaks the invariant. Default: what 150 ms of the traffic bring, rounded up, and at most half of limit.requests; 5 at 30 requests per second.',
      ),
    invariant: z
      .enum(['Drift', 'OverAdmission'])
      .default('Drift')
      .describe(
        'Which measure decides. Drift: what the nodes admitted and Redis has not counted, or answers did not tell as used. OverAdmission: what callers were allowed beyond the limit while the pause lasted, whatever is counted.',
      ),
    settle: durationField('How long to keep watching after the fault.', '1s', '1m').default('5s'),
  })
  .describe('Pauses the writes of Redis and watches the counters drift apart; for type CounterDrift.');

export const api = {
  type: 'CounterDrift',
  member: 'counterDrift',
  schema,
  conditionMeaning:
    'What the nodes admitted drifted from what Redis counted, or from what they told as used, in this run.',
  measures: [
    {
      name: 'drift',
      unit: 'requests',
      grows: true,
      meaning:
        'The furthest that the nodes were ahead of what Redis counted, behind HTTP by what the sender was allowed; with interface.http.remaining alone, ahead of what their answers told as used. Its bound is the threshold and the lag without a fault.',
    },
    {
      name: 'overAdmission',
      unit: 'requests',
      grows: true,
      meaning:
        'What callers were allowed beyond the limit while the pause lasted, by the answers that the sender got; its bound is 0.',
    },
    {
      name: 'requests',
      unit: 'requests',
      grows: true,
      meaning: 'Checks of the steady traffic that were sent.',
    },
    { name: 'allowed', unit: 'requests', grows: true, meaning: 'Checks that were allowed.' },
    {
      name: 'denied',
      unit: 'requests',
      grows: true,
      meaning: 'Checks that were denied: by a 429 or, behind HTTP, by what the mapping calls denied.',
    },
    {
      name: 'refused',
      unit: 'requests',
      grows: true,
      meaning:
        'Checks that were answered with 503, as by a node that got no answer from Redis; behind HTTP with another status of 500 and above, too.',
    },
    { name: 'unanswered', unit: 'requests', grows: true, meaning: 'Checks that no node answered in time.' },
    {
      name: 'lostCounts',
      unit: 'counts',
      meaning:
        'What nodes were seen to admit and Redis did not hold in the end; behind HTTP at least so many, where a limiter counts what it denies, too. Left out if that is not known, as without redis.count.',
    },
    CONTROL_MEASURE,
  ],
  column: {
    name: 'Drift',
    description: 'Drift of the counters against its bound, and what callers were allowed of the limit',
  },
} as const satisfies FaultApi;

export type CounterDriftSpec = z.output<typeof schema>;

export const parametersOf: (scenario: ScenarioSpec) => CounterDriftSpec = parametersBy(api);

/** The threshold of a scenario: as the spec says, or what {@link LATE_SYNC_MS} of its traffic bring. */
export function thresholdOf(scenario: ScenarioSpec, { limit }: RateLimiterSpec): number {
  const { requestsPerSecond, threshold } = parametersOf(scenario);
  const late = Math.ceil((requestsPerSecond * LATE_SYNC_MS) / 1000);
  return threshold ?? Math.min(late, Math.floor(limit.requests / 2));
}

/** Whether it is held against what answers tell: what Redis holds goes before that. */
export function isTold({ interface: { http }, redis }: RateLimiterSpec): boolean {
  return http?.remaining !== undefined && redis.count === undefined;
}

/** Whose counts a limiter's drift is read from. */
export function sourceOf(limiter: RateLimiterSpec): CountSource {
  if (isReference(limiter)) return 'Nodes';
  return isTold(limiter) ? 'Told' : 'Sender';
}

const threshold = `s.${api.member}.threshold`;
/** A rule about the threshold; where it is left out it is chosen to keep the rule. */
const ofThreshold = (rule: string): string => `!has(s.${api.member}) || !has(${threshold}) || ${rule}`;
const rate = numberInCel(api, 'requestsPerSecond');
const requests = `self.${PART}.limit.requests`;
const pause = fieldInCel(api.member, 'pause', schema.parse({}).pause);
/** By both readings of CEL, whose implementations differ in whether getMilliseconds is the whole or the rest. */
const pauseMs = `(duration(${pause}).getSeconds() * 1000 + duration(${pause}).getMilliseconds() % 1000)`;
/** More checks than `count` are sent while the pause lasts. A figure beyond its bounds is told by its own rule. */
const sentMoreThan = (count: string, most: number): string =>
  `(${count} > ${most} || ${rate} < 1 || ${rate} > ${MOST_RATE} || ${ifDurations([pause], `${rate} * ${pauseMs} > ${count} * 1000`)})`;

/** One that knows its callers by their source address is told apart, since it can never have a count. */
const bySourceAddress = `has(self.${PART}.interface.http) && self.${PART}.interface.http.identity == 'SourceAddress'`;

export const rules: readonly CelRule[] = [
  {
    rule: scenarioRule(api, `!(${bySourceAddress})`),
    message: `CounterDrift has to measure without a fault how far counts lie behind, with callers of its own, and with ${PART}.interface.http.identity SourceAddress there is one caller: take StoreOutage or GhostAllowing`,
  },
  {
    rule: scenarioRule(
      api,
      `self.${PART}.interface.type != 'HTTP' || has(self.${PART}.redis.count) || (has(self.${PART}.interface.http) && has(self.${PART}.interface.http.remaining)) || (${bySourceAddress})`,
    ),
    message: `CounterDrift compares what was admitted with what was counted, and where that is to be read of a limiter behind HTTP has to be said: set ${PART}.redis.count, the key of Redis that holds it, or ${PART}.interface.http.remaining, the header in which answers tell what remains. Or take StoreOutage or GhostAllowing`,
  },
  {
    rule: scenarioRule(
      api,
      `self.${PART}.interface.type != 'HTTP' || self.${PART}.limit.algorithm in ['FixedWindow', 'SlidingWindow']`,
    ),
    message: `CounterDrift needs a count that only grows within a window, so ${PART}.limit.algorithm FixedWindow or SlidingWindow: what a bucket or a weighted count holds runs down by itself. Take StoreOutage or GhostAllowing`,
  },
  {
    rule: scenarioRule(api, ofThreshold(`${threshold} < ${requests}`)),
    message:
      'counterDrift.threshold must be less than limit.requests: a node cannot drift further than its limit',
  },
  {
    rule: scenarioRule(api, ofThreshold(sentMoreThan(threshold, MOST_THRESHOLD))),
    message:
      'counterDrift.requestsPerSecond x pause must be more than counterDrift.threshold: no more can drift than is sent while Redis is paused',
  },
  {
    rule: scenarioRule(
      api,
      `s.expect != 'NotDetected' || ${sentMoreThan(`(${requests} - 1)`, MOST_REQUESTS)}`,
    ),
    message:
      'with expect NotDetected, counterDrift.requestsPerSecond x pause must reach limit.requests for each pod: only a node that was asked for more than its limit has proven that it keeps it',
  },
];

/**
 * Why no run on so many pods can end as expected. Lenient before Setup: how long the proof takes of the pause, and
 * the lag without a fault, which raises the bound, are given once they were measured.
 */
export function unprovable(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
  baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>,
): string | undefined {
  const { limit } = limiter;
  const { invariant, pause, requestsPerSecond } = parametersOf(scenario);
  const proofMs = holdFor(baseline?.writeMaxMs ?? 0);
  const lag = baseline?.lags.get(requestsPerSecond)?.lag ?? 0;
  const bound = invariant === 'Drift' ? thresholdOf(scenario, limiter) + lag : 0;
  const what =
    lag > 0 ? `counterDrift.threshold and the lag without a fault (${lag}) are` : 'counterDrift.threshold is';
  const most = pods * limit.requests;
  const name = `scenario ${scenario.name}`;
  if (isTold(limiter) && invariant === 'Drift' && scenario.expect === 'NotDetected' && pods === 1) {
    return `${name}: NotDetected needs more than one pod where answers alone tell what is counted: a pod that counts by itself tells all of its own. Set ${PART}.redis.count, or run more pods`;
  }
  // What a limiter behind HTTP lets through when it cannot count has no such ceiling.
  if (isReference(limiter) && invariant === 'Drift' && bound >= most) {
    return `${name}: the counters cannot drift further than ${counted(pods, 'pod')} x limit.requests ${limit.requests} = ${most}, and ${what} ${bound}: lower counterDrift.threshold or requestsPerSecond, or raise ${PART}.limit.requests`;
  }
  // The proof takes half of the pause at most, and no traffic is sent before it.
  const pauseMs = parseDuration(pause);
  const checks = Math.floor((requestsPerSecond * (pauseMs - Math.min(proofMs, pauseMs / 2))) / 1000);
  const sends = `counterDrift sends ${checks} checks (${requestsPerSecond} a second for what the proof leaves of ${pause})`;
  if (scenario.expect === 'NotDetected' && checks < most) {
    return `${name}: NotDetected needs limit.requests ${limit.requests} checks on each of ${counted(pods, 'pod')} = ${most}, and ${sends}: raise counterDrift.requestsPerSecond or pause, or lower ${PART}.limit.requests`;
  }
  if (invariant === 'OverAdmission' && checks <= limit.requests) {
    return `${name}: no more than limit.requests ${limit.requests} can be allowed where ${sends}: raise counterDrift.requestsPerSecond or pause, or lower ${PART}.limit.requests`;
  }
  if (checks <= bound) {
    return `${name}: ${sends}, and ${what} ${bound}: raise counterDrift.requestsPerSecond or pause, or lower its threshold`;
  }
  return undefined;
}
