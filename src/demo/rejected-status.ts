/** What is left of a status that the API server has refused, or that no decision can be made on. */
import type { ChaosDemoStatus, Condition, ConditionType, FrameworkReason, RunStatus } from '../api/index.ts';
import { withPrintableTexts } from '../api/index.ts';

/** Why a run is cut off by a status that `decide` did not make. */
export interface CutOff {
  readonly reason: FrameworkReason;
  /** What happened. */
  readonly cause: string;
  /** What to do about it. */
  readonly advice: string;
}

/** The API server will not take what was decided. */
export const REJECTED: CutOff = {
  reason: 'StatusRejected',
  cause: 'The API server refused the status of the run',
  advice: 'The log of the operator says what was refused. Check that CRD and operator have the same version',
};

/** What is stored, or asked for, makes no sense to `decide`. */
export const UNDECIDABLE: CutOff = {
  reason: 'StatusUnusable',
  cause: 'The operator could not decide on this object',
  advice:
    'The log of the operator has the error. Check whether somebody else wrote into the status, then run again',
};

/** What a cut-off run comes to. */
export interface CutOffVerdict {
  readonly reason: FrameworkReason;
  readonly message: string;
}

/** The whole message. `mayBeOn`: whether a fault may have been active. */
export function cutOffMessage({ advice, cause }: CutOff, mayBeOn: boolean): string {
  const released = mayBeOn ? ' and began to release its fault, which ends automatically in any case' : '';
  return `${cause}, so the operator ended the run${released}. ${advice}`;
}

/**
 * A minimal Errored status in place of `decided`, small enough to be accepted whatever made the other too
 * large. It ends the run of `decided`, so that what started it does not start it again; a verdict that
 * stood in `stored` stays.
 */
export function rejectedStatus(
  stored: ChaosDemoStatus,
  decided: ChaosDemoStatus,
  generation: number,
  now: number,
  { reason, message }: CutOffVerdict,
): ChaosDemoStatus {
  const time = new Date(now).toISOString();
  const condition = (type: ConditionType, status: Condition['status']): Condition => ({
    type,
    status,
    observedGeneration: generation,
    lastTransitionTime:
      stored.conditions?.find((known) => known.type === type && known.status === status)
        ?.lastTransitionTime ?? `${time.slice(0, 19)}Z`,
    reason,
    message,
  });
  const { lastHandledRunRequest, run } = decided;
  const stands = stored.run?.completedAt !== undefined && stored.run.number === run?.number;
  // What is kept may be of somebody else, too, and a text that cannot be stored would be refused for ever.
  return withPrintableTexts({
    observedGeneration: generation,
    phase: 'Errored',
    message,
    ...(lastHandledRunRequest === undefined ? {} : { lastHandledRunRequest }),
    ...(stands ? { run: stored.run } : run && { run: ended(run, time, { reason, message }) }),
    ...(decided.journal?.runKey === undefined ? {} : { journal: { runKey: decided.journal.runKey } }),
    conditions: [
      condition('Ready', 'False'),
      condition('Stalled', 'True'),
      condition('Complete', 'True'),
      condition('Succeeded', 'False'),
    ],
  });
}

function ended({ number, startedAt }: RunStatus, completedAt: string, why: CutOffVerdict): RunStatus {
  return {
    number,
    startedAt,
    completedAt,
    verdict: { phase: 'Errored', ...why },
  };
}
