/** What is left of a status that the API server has refused, or that no decision can be made on. */
import type { ChaosDemoStatus, Condition, ConditionType, FrameworkReason, RunStatus } from '../api/index.ts';

/** Why a run is cut off by a status that `decide` did not make. */
export interface CutOff {
  readonly reason: FrameworkReason;
  readonly message: string;
}

/** The API server will not take what was decided. */
export const REJECTED: CutOff = {
  reason: 'StatusRejected',
  message:
    'The API server refused the status of the run, so the operator ended the run and released its fault. The log of the operator says what was refused. Check that CRD and operator have the same version',
};

/** What is stored, or asked for, makes no sense to `decide`. */
export const UNDECIDABLE: CutOff = {
  reason: 'StatusUnusable',
  message:
    'The operator could not decide on this object, so the run was ended and its fault released; the log of the operator has the error. See whether somebody else wrote into the status, then run again',
};

/**
 * A minimal Errored status in place of `refused`, small enough to be accepted whatever made the other too
 * large. It ends the run of `refused`, so that what started it does not start it again; a verdict that
 * stood in `before` stays.
 */
export function rejectedStatus(
  before: ChaosDemoStatus,
  refused: ChaosDemoStatus,
  generation: number,
  now: number,
  { reason, message }: CutOff = REJECTED,
): ChaosDemoStatus {
  const time = new Date(now).toISOString();
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
    ...(stands ? { run: before.run } : run && { run: ended(run, time, { reason, message }) }),
    ...(refused.journal?.runKey === undefined ? {} : { journal: { runKey: refused.journal.runKey } }),
    conditions: [
      condition('Ready', 'False'),
      condition('Stalled', 'True'),
      condition('Complete', 'True'),
      condition('Succeeded', 'False'),
    ],
  };
}

function ended({ number, startedAt }: RunStatus, completedAt: string, why: CutOff): RunStatus {
  return {
    number,
    startedAt,
    completedAt,
    verdict: { phase: 'Errored', ...why },
  };
}
