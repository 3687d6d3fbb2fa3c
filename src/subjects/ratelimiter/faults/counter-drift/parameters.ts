/** CounterDrift in the API: its parameters, its rules, and which specs can prove nothing. */
import { z } from 'zod';
import {
  type CelRule,
  durationField,
  type FaultApi,
  fieldInCel,
  ifDurations,
  parseDuration,
  type ScenarioSpec,
} from '../../../../api/index.ts';
import { MOST_REQUESTS, PART, type RateLimiterSpec } from '../../schema.ts';
import { numberInCel, parametersBy, scenarioRule } from '../fault.ts';

const MOST_THRESHOLD = 100_000;
const MOST_RATE = 1000;

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
      .default(5)
      .describe('Drift above this, plus the lag measured without a fault, breaks the invariant.'),
    settle: durationField('How long to keep watching after the fault.', '1s', '1m').default('5s'),
  })
  .describe('Pauses the writes of Redis and watches the counters drift apart; for type CounterDrift.');

export const api = {
  type: 'CounterDrift',
  member: 'counterDrift',
  schema,
  conditionMeaning: 'The counters of the nodes drifted from what Redis counted, in this run.',
  measures: [
    {
      name: 'drift',
      unit: 'requests',
      meaning:
        'The furthest that the nodes were ahead of what Redis counted; its bound is the threshold and the lag without a fault.',
    },
    { name: 'requests', unit: 'requests', meaning: 'Checks of the steady traffic that were sent.' },
    { name: 'allowed', unit: 'requests', meaning: 'Checks that were allowed.' },
    {
      name: 'denied',
      unit: 'requests',
      meaning: 'Checks that were denied, or refused because a node got no answer from Redis.',
    },
    { name: 'unanswered', unit: 'requests', meaning: 'Checks that no node answered in time.' },
    { name: 'lostCounts', unit: 'counts', meaning: 'Counts that never reached Redis.' },
  ],
  column: { name: 'Drift', description: 'Drift of the counters against what is allowed' },
} as const satisfies FaultApi;

export type CounterDriftSpec = z.output<typeof schema>;

export const parametersOf: (scenario: ScenarioSpec) => CounterDriftSpec = parametersBy(api);

const threshold = numberInCel(api, 'threshold');
const rate = numberInCel(api, 'requestsPerSecond');
const requests = `self.${PART}.limit.requests`;
const pause = fieldInCel(api.member, 'pause', schema.parse({}).pause);
/** By both readings of CEL, whose implementations differ in whether getMilliseconds is the whole or the rest. */
const pauseMs = `(duration(${pause}).getSeconds() * 1000 + duration(${pause}).getMilliseconds() % 1000)`;
/** More checks than `count` are sent while the pause lasts. A figure beyond its bounds is told by its own rule. */
const sentMoreThan = (count: string, most: number): string =>
  `(${count} > ${most} || ${rate} < 1 || ${rate} > ${MOST_RATE} || ${ifDurations([pause], `${rate} * ${pauseMs} > ${count} * 1000`)})`;

export const rules: readonly CelRule[] = [
  {
    rule: scenarioRule(api, `${threshold} < ${requests}`),
    message:
      'counterDrift.threshold must be less than limit.requests: a node cannot drift further than its limit',
  },
  {
    rule: scenarioRule(api, sentMoreThan(threshold, MOST_THRESHOLD)),
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
 * Why no run on so many pods can end as expected. Lenient: the lag without a fault, which raises the bound,
 * and the time that the proof takes from the pause are not known yet.
 */
export function unprovable(
  scenario: ScenarioSpec,
  { limit }: RateLimiterSpec,
  pods: number,
): string | undefined {
  const { pause, requestsPerSecond, threshold } = parametersOf(scenario);
  const most = pods * limit.requests;
  if (threshold >= most) {
    return `scenario ${scenario.name}: the counters cannot drift further than ${pods} pods x limit.requests ${limit.requests} = ${most}, and counterDrift.threshold is ${threshold}: lower counterDrift.threshold or raise ${PART}.limit.requests`;
  }
  const checks = Math.ceil((requestsPerSecond * parseDuration(pause)) / 1000);
  if (scenario.expect === 'NotDetected' && checks < most) {
    return `scenario ${scenario.name}: NotDetected needs limit.requests ${limit.requests} checks on each of ${pods} pods = ${most}, and counterDrift sends ${checks} (${requestsPerSecond} a second for ${pause}): raise counterDrift.requestsPerSecond or pause, or lower ${PART}.limit.requests`;
  }
  if (checks <= threshold) {
    return `scenario ${scenario.name}: counterDrift sends ${checks} checks (${requestsPerSecond} a second for ${pause}), and its threshold is ${threshold}: raise counterDrift.requestsPerSecond or pause, or lower its threshold`;
  }
  return undefined;
}
