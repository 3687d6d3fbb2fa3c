/** GhostAllowing in the API: its parameters, its rules, and which specs can prove nothing. */
import { z } from 'zod';
import { type CelRule, durationField, type FaultApi, type ScenarioSpec } from '../../../../api/index.ts';
import { MOST_REQUESTS, PART, type RateLimiterSpec } from '../../schema.ts';
import { numberInCel, parametersBy, scenarioRule } from '../fault.ts';

/** Requests of the largest burst. */
const MOST_SENT = 10_000;
const MOST_TIMES = 100;

const schema = z
  .object({
    multiplier: z
      .int()
      .min(2)
      .max(MOST_TIMES)
      .default(2)
      .describe('The burst has limit.requests times this many requests.'),
    settle: durationField('How long to keep watching after the burst.', '1s', '1m').default('5s'),
  })
  .describe('Sends a burst to all pods at once and counts what is admitted; for type GhostAllowing.');

export const api = {
  type: 'GhostAllowing',
  member: 'ghostAllowing',
  schema,
  conditionMeaning: 'More requests were admitted in one window than the limit allows, in this run.',
  measures: [
    {
      name: 'admitted',
      unit: 'requests',
      meaning: 'Requests admitted in one window over all nodes; its bound is the limit.',
    },
    { name: 'requests', unit: 'requests', meaning: 'Requests of the burst.' },
    { name: 'denied', unit: 'requests', meaning: 'Requests of the burst that were denied.' },
    {
      name: 'unanswered',
      unit: 'requests',
      meaning: 'Requests of the burst that were answered with an error, or not in time.',
    },
  ],
  column: { name: 'Admitted', description: 'Requests admitted against the limit' },
} as const satisfies FaultApi;

export type GhostAllowingSpec = z.output<typeof schema>;

export const parametersOf: (scenario: ScenarioSpec) => GhostAllowingSpec = parametersBy(api);

const times = numberInCel(api, 'multiplier');
const requests = `self.${PART}.limit.requests`;

export const rules: readonly CelRule[] = [
  {
    // Beyond their bounds the product could overflow; their own rules tell that.
    rule: scenarioRule(
      api,
      `${times} > ${MOST_TIMES} || ${requests} > ${MOST_REQUESTS} || ${times} * ${requests} <= ${MOST_SENT}`,
    ),
    message: `limit.requests x ghostAllowing.multiplier must be at most ${MOST_SENT} requests`,
  },
];

/** Why no run on so many pods can end as expected. */
export function unprovable(
  scenario: ScenarioSpec,
  { limit }: RateLimiterSpec,
  pods: number,
): string | undefined {
  const { multiplier } = parametersOf(scenario);
  const sent = limit.requests * multiplier;
  // An anomaly may show on some of the pods; that there is none has to be looked for on each.
  if (scenario.expect !== 'NotDetected' || sent >= pods) return undefined;
  return `scenario ${scenario.name}: NotDetected needs a request to each of ${pods} pods, and the burst has limit.requests ${limit.requests} x ghostAllowing.multiplier ${multiplier} = ${sent}: raise ${PART}.limit.requests or ghostAllowing.multiplier`;
}
