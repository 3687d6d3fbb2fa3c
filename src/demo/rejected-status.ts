/** What is left of a status that the API server has refused. */
import type { ChaosDemoStatus, Condition, ConditionType, RunStatus } from '../api/index.ts';

/**
 * A minimal Errored status with reason StatusRejected in place of `refused`, small enough to be accepted
 * whatever made the other too large. It ends the run of `refused`, so that what started it does not start
 * it again; a verdict that stood in `before` stays.
 */
export function rejectedStatus(
  before: ChaosDemoStatus,
  refused: ChaosDemoStatus,
  generation: number,
  now: number,
): ChaosDemoStatus {
  const message =
    'The API server refused the status of the run, so the run was ended and its fault released; the log of the operator says what was refused. See that CRD and operator are of the same version';
  const time = new Date(now).toISOString();
  const reason = 'StatusRejected' as const;
  const condition = (type: ConditionType, status: Condition['status']): Condition => ({
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime:
      before.conditions?.find((known) => known.type === type && known.status === status)
        ?.lastTransitionTime ?? `${time.slice(0, 19)}Z`,
    reason,
    message,
  });
  const { lastHandledRunRequest, run } = refused;
  const stands = before.run?.completedAt !== undefined && before.run.number === run?.number;
  return {
    observedGeneration: generation,
    phase: 'Errored',
    message,
    ...(lastHandledRunRequest === undefined ? {} : { lastHandledRunRequest }),
    ...(stands ? { run: before.run } : run && { run: ended(run, time, message) }),
    ...(refused.journal?.runKey === undefined ? {} : { journal: { runKey: refused.journal.runKey } }),
    conditions: [
      condition('Ready', 'False'),
      condition('Stalled', 'True'),
      condition('Complete', 'True'),
      condition('Succeeded', 'False'),
    ],
  };
}

function ended({ number, startedAt }: RunStatus, completedAt: string, message: string): RunStatus {
  return {
    number,
    startedAt,
    completedAt,
    verdict: { phase: 'Errored', reason: 'StatusRejected', message },
  };
}
