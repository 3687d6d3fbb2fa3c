/**
 * The condition types and reasons that every ChaosDemo has. Reasons are API: people match on them in pipelines and
 * alerts, so each is listed here or in the API of its subject, and the reference documents it. The schema leaves both
 * open, so that operator and CRD may be upgraded in either order.
 */

/** A condition as Kubernetes defines it (metav1.Condition), of the generation that the status has. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  /** RFC 3339, integer seconds; moves only when `status` does. */
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** The meaning of each status of a condition. */
export type Meanings = Record<Condition['status'], string>;

/** The conditions for the state of an object. There are also Healthy, FaultActive, and one for each scenario type. */
export const CONDITIONS = {
  Ready: 'The verdict is in and it is Succeeded.',
  Reconciling: 'A run is active, or about to start. Absent otherwise.',
  Stalled: 'Nothing more happens without a change to the object or to the cluster. Absent otherwise.',
  Finished: 'The last run has ended, whatever its verdict.',
  Succeeded: 'The last run ended and every scenario met its expectation.',
} as const;

/** The meaning of the statuses of Healthy and FaultActive. */
export const OBSERVED_STATUSES: Record<'Healthy' | 'FaultActive', Meanings> = {
  Healthy: {
    True: 'Every pod is ready, and what the pods depend on answers.',
    False: 'A pod is not ready, or what the pods depend on does not answer.',
    Unknown: 'The operator has not checked in this run.',
  },
  FaultActive: {
    True: 'A fault is announced, active, or possibly active.',
    False: 'No fault is active.',
    Unknown: '',
  },
};

/** The condition that reports whether an invariant of a scenario type was violated, if a run has it: "OutageViolated". */
export function violationCondition(scenarioType: string): string {
  return `${scenarioType}Violated`;
}

/** The meaning of the statuses of the condition of a scenario type. */
export const ANOMALY_STATUSES: Meanings = {
  True: 'Violated in this run.',
  False: 'Watched the whole time, and not violated.',
  Unknown: 'Not known: not ended, or Inconclusive.',
};

/** The status of each of them, for each state an object can be in. */
export const CONDITIONS_BY_STATE: Record<
  'unseen' | 'open' | 'succeeded' | 'unsuccessful' | 'refused' | 'suspended',
  { state: string; conditions: Partial<Record<keyof typeof CONDITIONS, Condition['status']>> }
> = {
  unseen: { state: 'not seen by an operator yet', conditions: { Ready: 'Unknown' } },
  open: {
    state: 'pending, running, waiting for advance, held by suspend',
    conditions: { Ready: 'False', Reconciling: 'True', Finished: 'False', Succeeded: 'Unknown' },
  },
  succeeded: { state: 'Succeeded', conditions: { Ready: 'True', Finished: 'True', Succeeded: 'True' } },
  unsuccessful: {
    state: 'Failed, Errored, Aborted',
    conditions: { Ready: 'False', Stalled: 'True', Finished: 'True', Succeeded: 'False' },
  },
  refused: {
    state: 'a precondition is not met',
    conditions: { Ready: 'False', Stalled: 'True', Finished: 'False', Succeeded: 'Unknown' },
  },
  suspended: {
    state: 'suspended, never run',
    conditions: { Ready: 'False', Finished: 'False', Succeeded: 'Unknown' },
  },
};

/** The reasons, grouped by meaning, with the conditions that carry them; docs/troubleshooting.md explains each. */
export const REASON_GROUPS = {
  standing: {
    title: 'State of a run',
    conditions: 'Ready, Finished, Succeeded, and Reconciling unless Suspended before a run',
    reasons: [
      'Pending',
      'CoolingDown',
      'TooManyRuns',
      'BackOff',
      'Running',
      'AwaitingAdvance',
      'Suspended',
      'Stopping',
    ],
  },
  verdict: {
    title: 'Verdicts',
    conditions: 'Ready, Finished, Succeeded, and Stalled unless Succeeded',
    reasons: [
      'ExpectationsMet',
      'NoExpectation',
      'ViolationNotReproduced',
      'UnexpectedViolation',
      'BaselineViolated',
      'Inconclusive',
      'Aborted',
      'Superseded',
      'Deleted',
    ],
  },
  failure: {
    title: 'Failures of a run',
    conditions: 'Ready, Finished, Succeeded, Stalled',
    reasons: [
      'TargetUnhealthy',
      'BaselineFailed',
      'PrepareFailed',
      'RecoveryFailed',
      'RestoreFailed',
      'DeadlineExceeded',
    ],
  },
  refusal: {
    title: 'Preconditions that are not met',
    conditions:
      'Ready, Finished, Succeeded, Stalled; if the run only waits, Reconciling. An active run that loses its permission is Aborted with the same reason',
    reasons: [
      'NamespaceNotEnabled',
      'PermissionDenied',
      'NoSuchPods',
      'PodsNotEligible',
      'UnprovableSpec',
      'SubjectUnknown',
      'KillSwitch',
    ],
  },
  health: {
    title: 'Health of the subject',
    conditions: 'Healthy; NotObserved also the conditions of scenario types',
    reasons: [
      'AllPodsReady',
      'PodsNotReady',
      'DependencyDisconnected',
      'Unreachable',
      'DegradedByFault',
      'NotObserved',
    ],
  },
  fault: {
    title: 'State of a fault',
    conditions: 'FaultActive',
    reasons: ['FaultPlanned', 'FaultInjected', 'FaultReleased', 'NoFault'],
  },
  result: {
    title: 'Results of scenarios',
    conditions:
      'the conditions of scenario types; all but Watching, and BaselineViolated, also status.scenarios[].reason',
    reasons: ['Violated', 'Held', 'Watching', 'FaultNotProven', 'EvidenceIncomplete', 'ObservationLost'],
  },
} as const;

/** The reasons of the framework; subjects add refusals of their own. */
export type FrameworkReason = (typeof REASON_GROUPS)[keyof typeof REASON_GROUPS]['reasons'][number];

/** A reason of the framework, or a refusal that a subject documents. */
export type Reason = FrameworkReason | (string & {});
