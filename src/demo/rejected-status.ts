/** What is left of a status that the API server has refused. */
import type { ChaosDemoStatus, Condition, ConditionType } from '../api/index.ts';

/**
 * A minimal Errored status with reason StatusRejected that ends the run of
 * `before`, small enough to be accepted whatever made the other too large.
 */
export function rejectedStatus(before: ChaosDemoStatus, generation: number, now: number): ChaosDemoStatus {
  const message =
    'The API server refused the status of the run, so the run was ended and its fault released; the log of the operator says what was refused. See that CRD and operator are of the same version';
  const time = new Date(now).toISOString();
  const reason = 'StatusRejected' as const;
  const condition = (type: ConditionType, status: Condition['status']): Condition => ({
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime: `${time.slice(0, 19)}Z`,
    reason,
    message,
  });
  const { lastHandledRunRequest, run } = before;
  return {
    observedGeneration: generation,
    phase: 'Errored',
    message,
    ...(lastHandledRunRequest === undefined ? {} : { lastHandledRunRequest }),
    ...(run === undefined
      ? {}
      : {
          run: {
            number: run.number,
            key: run.key,
            startedAt: run.startedAt,
            completedAt: time,
            verdict: { phase: 'Errored', reason, message },
          },
        }),
    conditions: [
      condition('Ready', 'False'),
      condition('Stalled', 'True'),
      condition('Complete', 'True'),
      condition('Succeeded', 'False'),
    ],
  };
}
