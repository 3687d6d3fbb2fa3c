/**
 * The condition types and reasons that every ChaosDemo has. Reasons are API: people
 * match on them in pipelines and alerts, so each stands here or in the API of its
 * subject, and the reference documents it. The schema leaves both open, so that
 * operator and CRD may be upgraded in either order.
 */

/** A condition as Kubernetes defines it (metav1.Condition). */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration: number;
  /** RFC 3339, whole seconds; moves only when `status` does. */
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** What a status of a condition says; `absent`: what it says that the condition is missing. */
export type Meanings = Partial<Record<Condition['status'] | 'absent', string>>;

interface ConditionDoc {
  readonly meaning: string;
  /** Status by status. One that is left out here does not occur. */
  readonly statuses: Meanings;
}

/** The conditions of every ChaosDemo. Each registered scenario type adds one: see {@link anomalyDoc}. */
export const CONDITIONS = {
  Ready: {
    meaning: 'The verdict is in and it is Succeeded.',
    statuses: {
      True: 'The last run Succeeded.',
      False: 'A run is active or due, none may start, or the last one ended otherwise.',
      Unknown: 'No operator has seen the object yet.',
    },
  },
  Reconciling: {
    meaning: 'A run is active, or about to start. Absent otherwise.',
    statuses: {
      True: 'A run is active, or starts automatically.',
      absent: 'No run is active or about to start.',
    },
  },
  Stalled: {
    meaning: 'Nothing more happens without a change to the object or to the cluster. Absent otherwise.',
    statuses: {
      True: 'The run ended Failed, Errored or Aborted, or none may start.',
      absent: 'In every other state.',
    },
  },
  Complete: {
    meaning: 'The last run has ended, whatever its verdict.',
    statuses: { True: 'The last run has ended.', False: 'No run has been made, or one is active or due.' },
  },
  Succeeded: {
    meaning: 'The last run ended and every scenario met its expectation. A dry run tests no scenario.',
    statuses: {
      True: 'The last run Succeeded.',
      False: 'It ended Failed, Errored or Aborted.',
      Unknown: 'There is no verdict that answers the spec, or the last run was a dry run.',
    },
  },
  Healthy: {
    meaning: 'Health of the subject, by the health poller.',
    statuses: {
      True: 'Every pod is ready, and what the pods depend on answers.',
      False: 'A pod is not ready, or what the pods depend on does not answer.',
      Unknown: 'The operator has not checked in this run.',
    },
  },
  FaultActive: {
    meaning: 'A fault of this demo is or may be active.',
    statuses: { True: 'A fault is announced, active, or possibly active.', False: 'No fault is active.' },
  },
} as const satisfies Record<string, ConditionDoc>;

/** The types that every ChaosDemo has. */
export type ConditionType = keyof typeof CONDITIONS;

/** What the statuses of the condition of a scenario type say. */
export const ANOMALY_STATUSES: Meanings = {
  True: 'Violated in this run.',
  False: 'Watched the whole time, and not violated.',
  Unknown: 'Not known: not tested, not ended, or Inconclusive.',
};

/** The conditions that tell where an object stands. */
type StandingType = 'Ready' | 'Reconciling' | 'Stalled' | 'Complete' | 'Succeeded';

/** Which of them stand with which status, for each state an object can be in. */
export const CONDITIONS_BY_STATE: Record<
  'unseen' | 'open' | 'succeeded' | 'dryRun' | 'unsuccessful' | 'refused' | 'suspended',
  { state: string; conditions: Partial<Record<StandingType, Condition['status']>> }
> = {
  unseen: { state: 'not seen by an operator yet', conditions: { Ready: 'Unknown' } },
  open: {
    state: 'pending, running, waiting for advance, held by suspend',
    conditions: { Ready: 'False', Reconciling: 'True', Complete: 'False', Succeeded: 'Unknown' },
  },
  succeeded: { state: 'Succeeded', conditions: { Ready: 'True', Complete: 'True', Succeeded: 'True' } },
  dryRun: {
    state: 'Succeeded, a dry run',
    conditions: { Ready: 'True', Complete: 'True', Succeeded: 'Unknown' },
  },
  unsuccessful: {
    state: 'Failed, Errored, Aborted',
    conditions: { Ready: 'False', Stalled: 'True', Complete: 'True', Succeeded: 'False' },
  },
  refused: {
    state: 'a precondition is not met',
    conditions: { Ready: 'False', Stalled: 'True', Complete: 'False', Succeeded: 'Unknown' },
  },
  suspended: {
    state: 'suspended, never run',
    conditions: { Ready: 'False', Complete: 'False', Succeeded: 'Unknown' },
  },
};

/** The reasons by what they tell, each group with the conditions that carry them. */
export const REASON_GROUPS = {
  standing: {
    title: 'State of a run',
    conditions: 'Ready, Complete, Succeeded, and Reconciling unless Suspended before a run',
    reasons: {
      Pending:
        'The operator has not seen the object yet, is looking for its pods, or waits until all pods are Ready.',
      CoolingDown:
        'A run was aborted or superseded after a fault, or what it depends on cools down after a fault of any run. The next run starts when that time has passed.',
      TooManyRuns:
        'The limit of concurrent runs is reached, in total or for this namespace. This run begins automatically when there is room.',
      Running: 'A chapter is running.',
      AwaitingAdvance: 'Manual pace: the chapter is done and waits for the advance annotation.',
      Suspended: 'spec.suspend is set: no run starts, or the run is held before its next fault.',
      Stopping: 'The operator is stopping the run and undoing what it did.',
    },
  },
  verdict: {
    title: 'Verdicts',
    conditions: 'Ready, Complete, Succeeded, and Stalled unless the run Succeeded',
    reasons: {
      ExpectationsMet: 'Every scenario ended as expected.',
      DryRunPassed:
        'Discovery, permissions and health are as they should be; no fault was injected, so Succeeded stays Unknown.',
      ViolationNotReproduced: 'A scenario expected Violated and ended Held.',
      UnexpectedViolation: 'A scenario expected Held and was Violated.',
      BaselineViolated: 'The subject broke its invariant before any fault was injected.',
      Inconclusive:
        'Of a scenario, neither a violation nor its absence was proven, and no unexpected violation was proven.',
      Aborted: 'The run was stopped by the abort annotation.',
      Superseded: 'A newer request replaced the run.',
      Deleted: 'The object is deleted; it goes when what the run did is undone.',
    },
  },
  failure: {
    title: 'Failures of a run',
    conditions: 'Ready, Complete, Succeeded, Stalled',
    reasons: {
      TargetUnhealthy: 'The subject did not become healthy in time; nothing (further) was injected.',
      BaselineFailed: 'The baseline could not be measured.',
      PrepareFailed: 'What a scenario needs could not be set up on every pod.',
      RecoveryFailed: 'After a fault, the subject did not work again in time.',
      RestoreFailed:
        'The operator could not undo what the run did. The message names the command that does it.',
      DeadlineExceeded: 'The run took longer than spec.activeDeadline.',
    },
  },
  refusal: {
    title: 'Preconditions that are not met',
    conditions:
      'Ready, Complete, Succeeded, Stalled; if the run only waits, Reconciling. An active run that loses its permission is Aborted with the same reason',
    reasons: {
      NamespaceNotEnabled: 'The namespace lacks the label chaosdemo.dev/enabled=true.',
      PermissionDenied: 'The operator lacks a right. Usually the RoleBinding in the namespace is missing.',
      NoSuchPods: 'The selector matches no ready pod.',
      PodsNotEligible:
        'A selected pod cannot be used: host network, no such port, or several images. Or one is not Ready for 30 s, or there are too many or too large ones.',
      UnprovableSpec:
        'With these pods, no run of this spec can end as expected. The message names what to change.',
      SubjectUnknown:
        'This operator knows nothing that the spec names to test: upgrade it, or correct the spec.',
      KillSwitch: 'The kill switch of the operator is set.',
    },
  },
  health: {
    title: 'Health of the subject',
    conditions: 'Healthy; NotObserved also the conditions of scenario types',
    reasons: {
      AllPodsReady: 'Every pod is ready, and what the pods depend on answers.',
      PodsNotReady: 'A pod is not ready.',
      DependencyDisconnected: 'What the pods depend on does not answer.',
      Unreachable: 'No endpoint of the subject answered.',
      DegradedByFault: 'Unhealthy while a fault of this demo is active.',
      NotObserved: 'The operator has not checked yet.',
    },
  },
  fault: {
    title: 'State of a fault',
    conditions: 'FaultActive',
    reasons: {
      FaultPlanned: 'A fault is announced for the moment given in the status.',
      FaultInjected: 'A fault is active.',
      FaultReleased: 'The fault has ended: a probe has seen it end, or the latest moment for it has passed.',
      NoFault: 'No fault has been injected in this run.',
    },
  },
  result: {
    title: 'Results of scenarios',
    conditions:
      'the conditions of scenario types; all but Watching and NotTested also status.scenarios[].reason',
    reasons: {
      Violated: 'The invariant was violated.',
      Held: 'The operator watched the whole time, and the invariant held.',
      NotTested: 'The run has no such scenario; a dry run has none.',
      Watching: 'The invariant is being watched.',
      FaultNotProven: 'The fault was injected, and it was not proven that it took effect.',
      EvidenceIncomplete: 'No violation was proven, and neither was its absence.',
      ObservationLost: 'The operator restarted or lost its lead while it had to watch the invariant.',
    },
  },
} as const;

type ReasonsOf<Group> = Group extends { reasons: infer Reasons } ? keyof Reasons : never;

/** The reasons of the framework; subjects add refusals of their own. */
export type FrameworkReason = ReasonsOf<(typeof REASON_GROUPS)[keyof typeof REASON_GROUPS]>;

/** A reason of the framework, or a refusal that a subject documents. */
export type Reason = FrameworkReason | (string & {});
