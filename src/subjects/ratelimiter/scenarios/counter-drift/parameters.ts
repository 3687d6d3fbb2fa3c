/** CounterDrift in the API: its parameters and its measures. */
import { z } from 'zod';
import { durationField, type FaultApi } from '../../../../api/index.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { faultSchema } from '../../../scenarios/store-fault.ts';

const MOST_RATE = 1000;

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
    ...growing('requests', {
      drift:
        'The largest lead of what the pods admitted over what Redis counted. Its bound is the tolerance (what 150 ms of the traffic bring, at most half of limit.requests) plus the lag without a fault.',
      overAdmission:
        'Requests that callers were admitted beyond the limit during the fault, by the answers that the sender got.',
      requests: 'Requests of the steady traffic that were sent.',
      admitted: 'Requests that were admitted.',
      rejected: 'Requests that were rejected because the limit was used up.',
      errors:
        'Requests that were answered with a status of 500 or above, such as the 503 of a pod that got no answer from Redis.',
      timeouts: 'Requests that were not answered in time, or whose connection broke.',
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

export type CounterDriftSpec = z.output<typeof schema>;
