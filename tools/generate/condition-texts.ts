/** The conditions and the groups of reasons, in the words of the reference. */
import type { CONDITIONS_BY_STATE, Condition, REASON_GROUPS, StateCondition } from '../../src/api/index.ts';

/** The meaning of each status of a condition. */
export type Meanings = Record<Condition['status'], string>;

/** The conditions for the state of an object. */
export const CONDITIONS: Record<StateCondition, string> = {
  Ready: 'The verdict is in and it is Succeeded.',
  Reconciling: 'A run is active, or about to start. Absent otherwise.',
  Stalled: 'Nothing more happens without a change to the object or to the cluster. Absent otherwise.',
  Finished: 'The last run has ended, whatever its verdict.',
  Succeeded: 'The last run ended and every scenario met its expectation.',
};

/** The states of an object. */
export const STATES: Record<keyof typeof CONDITIONS_BY_STATE, string> = {
  unseen: 'not seen by an operator yet',
  open: 'pending, running, waiting for advance, held by suspend',
  succeeded: 'Succeeded',
  unsuccessful: 'Failed, Errored, Aborted',
  refused: 'a precondition is not met',
  suspended: 'suspended, never run',
};

/** The meaning of the statuses of Healthy and FaultActive. */
export const OBSERVED_STATUSES: Record<'Healthy' | 'FaultActive', Meanings> = {
  Healthy: {
    True: 'Every pod is ready, and what the pods depend on responds.',
    False: 'A pod is not ready, or what the pods depend on does not respond.',
    Unknown: 'The operator has not checked in this run.',
  },
  FaultActive: {
    True: 'A fault is announced, active, or possibly active.',
    False: 'No fault is active.',
    Unknown: '',
  },
};

/** The meaning of the statuses of the condition of a scenario type. */
export const ANOMALY_STATUSES: Meanings = {
  True: 'Violated in this run.',
  False: 'Watched the whole time, and not violated.',
  Unknown: 'Not known: not ended, or Inconclusive.',
};

/** The meaning of each group of reasons, and the conditions that carry them. */
export const GROUPS: Record<keyof typeof REASON_GROUPS, { title: string; conditions: string }> = {
  standing: {
    title: 'State of a run',
    conditions: 'Ready, Finished, Succeeded, and Reconciling unless Suspended before a run',
  },
  verdict: {
    title: 'Verdicts',
    conditions: 'Ready, Finished, Succeeded, and Stalled unless Succeeded',
  },
  failure: {
    title: 'Failures of a run',
    conditions: 'Ready, Finished, Succeeded, Stalled',
  },
  refusal: {
    title: 'Preconditions that are not met',
    conditions:
      'Ready, Finished, Succeeded, Stalled; if the run only waits, Reconciling. An active run that loses its permission is Aborted with the same reason',
  },
  health: {
    title: 'Health of the subject',
    conditions: 'Healthy; NotObserved also the conditions of scenario types',
  },
  fault: {
    title: 'State of a fault',
    conditions: 'FaultActive',
  },
  result: {
    title: 'Results of scenarios',
    conditions:
      'the conditions of scenario types; all but Watching, and BaselineViolated, also status.scenarios[].reason',
  },
};
