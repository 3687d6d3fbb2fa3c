/** GhostAllowing in the API: its parameters and its measures. */
import { z } from 'zod';
import type { FaultApi } from '../../../../api/index.ts';
import { CONFIDENCE } from '../../../../engine/power.ts';
import { growing, measures } from '../../../scenarios/measures.ts';

/** The largest multiplier. */
export const MOST_TIMES = 100;
/** Trials of one fault. */
const MOST_TRIALS = 100;
const schema = z
  .object({
    multiplier: z
      .int()
      .min(2)
      .max(MOST_TIMES)
      .optional()
      .describe(
        'The burst has limit.requests times this many requests. Left out: twice as many for each pod as the limit admits at once. In all, at least three times as many, up to the most of one burst. With expect Held it must be at least the number of pods.',
      ),
    trials: z
      .int()
      .min(1)
      .max(MOST_TRIALS)
      .default(3)
      .describe(
        `Number of bursts, each of a caller whose limit is replenished. One violation is enough for Violated. At ${CONFIDENCE} % confidence, 3 trials exclude a violation in more than 64 % of bursts, 10 in 26 %, 59 in 5 %.`,
      ),
  })
  .describe('Sends a burst to all pods at once and counts what is admitted; for type GhostAllowing.');

export const api = {
  type: 'GhostAllowing',
  member: 'ghostAllowing',
  schema,
  conditionMeaning: 'More requests were admitted in one window than the limit allows, in this run.',
  measures: [
    ...growing('requests', {
      admitted: 'Requests admitted in one window by all pods; its bound is the limit.',
    }),
    ...growing('trials', {
      trials: 'Bursts that were sent, each of a caller whose limit was replenished.',
      trialsViolated:
        'Bursts of which more than the limit was admitted; the other figures are those of the worst burst.',
    }),
    ...measures('%', {
      excludesAbove: `If no trial violated the limit: at ${CONFIDENCE} % confidence, no larger share of bursts is over-admitted.`,
    }),
    ...measures('requests', {
      requests: 'Requests of the burst.',
      rejected: 'Requests of the burst that were rejected.',
      errors: 'Requests of the burst that were answered with an error, or not sent.',
      timeouts: 'Requests of the burst that were not answered in time, or whose connection broke.',
    }),
  ],
  finding: (result, summary) =>
    result === 'Violated'
      ? `over-admits under concurrency (${summary})`
      : `keeps its limit under concurrency (${summary})`,
} as const satisfies FaultApi;

export type GhostAllowingSpec = z.output<typeof schema>;
