/**
 * The closed set of condition types and reasons. Reasons are API: people match
 * on them in pipelines and alerts, so none is ever made up at the place of use.
 */

export const CONDITION_TYPES = {
  Ready: 'The verdict is in and it is Succeeded.',
  Reconciling: 'A run is on, or about to start. Absent otherwise.',
  Stalled: 'Nothing more will happen without a change by someone. Absent otherwise.',
  Complete: 'The last run has ended, whatever its verdict.',
  Succeeded: 'The last run ended and every scenario met its expectation.',
  Healthy: 'What the health poller sees of the subject.',
  FaultActive: 'A fault of this demo is, or may be, on.',
  CounterDrift: 'The counters of the nodes drifted from what Redis counted, in this run.',
  GhostAllowing: 'More requests were admitted in one window than the limit allows, in this run.',
} as const;

export type ConditionType = keyof typeof CONDITION_TYPES;

/** What a status of a condition says; `absent`: what it says that the condition is missing. */
type Meanings = Partial<Record<Condition['status'] | 'absent', string>>;

/** Each condition, status by status. One that is left out here does not occur. */
export const CONDITION_MEANINGS: Record<ConditionType, Meanings> = {
  Ready: {
    True: 'The last run Succeeded.',
    False: 'A run is on or to come, none may start, or the last one ended otherwise.',
    Unknown: 'No operator has looked yet.',
  },
  Reconciling: { True: 'A run is on, or starts by itself.', absent: 'Nothing is under way.' },
  Stalled: {
    True: 'The run ended Failed, Errored or Aborted, or none may start.',
    absent: 'Neither is so.',
  },
  Complete: { True: 'The last run has ended.', False: 'None has been made, or one is on or to come.' },
  Succeeded: {
    True: 'The last run Succeeded.',
    False: 'It ended Failed, Errored or Aborted.',
    Unknown: 'There is no verdict that answers the spec.',
  },
  Healthy: {
    True: 'Every node is ready and reaches Redis.',
    False: 'Something is not as it should be.',
    Unknown: 'Nobody has looked in this run.',
  },
  FaultActive: {
    True: 'A fault is announced, on, or may be on.',
    False: 'No fault is on.',
  },
  CounterDrift: {
    True: 'Detected in this run.',
    False: 'Really looked for, and not there.',
    Unknown: 'Not known: not tested, not over, or Inconclusive.',
  },
  GhostAllowing: {
    True: 'Detected in this run.',
    False: 'Really looked for, and not there.',
    Unknown: 'Not known: not tested, not over, or Inconclusive.',
  },
};

/** The conditions that tell where an object stands. */
type StandingType = 'Ready' | 'Reconciling' | 'Stalled' | 'Complete' | 'Succeeded';

/** Which of them stand with which status, for each state an object can be in. */
export const CONDITIONS_BY_STATE: Record<
  'unseen' | 'open' | 'succeeded' | 'unsuccessful' | 'refused' | 'suspended',
  { state: string; conditions: Partial<Record<StandingType, Condition['status']>> }
> = {
  unseen: { state: 'not seen by an operator yet', conditions: { Ready: 'Unknown' } },
  open: {
    state: 'pending, running, awaiting a hand',
    conditions: { Ready: 'False', Reconciling: 'True', Complete: 'False', Succeeded: 'Unknown' },
  },
  succeeded: { state: 'Succeeded', conditions: { Ready: 'True', Complete: 'True', Succeeded: 'True' } },
  unsuccessful: {
    state: 'Failed, Errored, Aborted',
    conditions: { Ready: 'False', Stalled: 'True', Complete: 'True', Succeeded: 'False' },
  },
  refused: {
    state: 'refused',
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
    title: 'Where a run stands',
    conditions: 'Ready, Complete, Succeeded, and Reconciling unless Suspended',
    reasons: {
      Pending:
        'The operator has not looked at the object yet, is looking for its pods and its Redis, or waits until all pods are Ready.',
      CoolingDown: 'A run was aborted or superseded a moment ago; the next starts when its Redis has rested.',
      Running: 'A chapter is at work.',
      AwaitingAdvance: 'Manual pace: the chapter is done and waits for the advance annotation.',
      Suspended: 'spec.suspend is set.',
      Stopping: 'The run is being stopped and what it did is being undone.',
    },
  },
  verdict: {
    title: 'Verdicts',
    conditions: 'Ready, Complete, Succeeded, and Stalled unless the run Succeeded',
    reasons: {
      ExpectationsMet: 'Every scenario ended as expected.',
      DryRunPassed: 'Discovery, permissions and health are as they should be; no fault was injected.',
      AnomalyNotReproduced: 'A scenario expected Detected and proved NotDetected.',
      UnexpectedAnomaly: 'A scenario expected NotDetected and was Detected.',
      Inconclusive: 'A scenario could neither be detected nor proven absent.',
      Aborted: 'The run was stopped by the abort annotation.',
      Superseded: 'A newer request replaced the run.',
    },
  },
  failure: {
    title: 'Why a run could not be carried out',
    conditions: 'Ready, Complete, Succeeded, Stalled',
    reasons: {
      TargetUnhealthy: 'The subject did not become healthy in time; nothing (further) was injected.',
      BaselineFailed: 'The measurements without a fault could not be made.',
      PrepareFailed: 'The key of a scenario could not be set up on every pod.',
      RecoveryFailed: 'After a fault, writes were not taken again in time.',
      RestoreFailed: 'What the run did could not be undone; the message says what to do by hand.',
      DeadlineExceeded: 'The run took longer than spec.activeDeadline.',
      StatusRejected: 'The API server refused a status; the fault was released.',
    },
  },
  refusal: {
    title: 'Refusals: nothing starts until somebody changes something',
    conditions:
      'Ready, Complete, Succeeded, Stalled (RedisInUse: Reconciling). A run that is on and loses its permission is Aborted with the same reason',
    reasons: {
      NamespaceNotEnabled: 'The namespace lacks the label chaosdemo.dev/enabled=true.',
      PermissionDenied:
        'The operator lacks a right, as a rule since there is no RoleBinding in the namespace.',
      NoSuchPods: 'The selector matches no ready pod.',
      PodsNotEligible:
        'A selected pod cannot be used (host network, no such port, several images), is not Ready for 30 s, or there are too many.',
      RedisNotFound: 'The Redis Service, or a ready pod behind it, is missing.',
      RedisNotEligible: 'This kind of Redis Service or topology is not supported.',
      RedisUnreachable: 'The Redis does not answer, or refuses the credentials.',
      RedisAuthInvalid: 'The Secret is missing or not of type chaosdemo.dev/redis-auth.',
      SharedRedis: 'Clients that are neither selected pods nor ours use this Redis.',
      RedisInUse: 'Another ChaosDemo is running on the same Redis; this one waits.',
      KillSwitch: 'The kill switch of the operator is on.',
    },
  },
  health: {
    title: 'What the health poller sees',
    conditions: 'Healthy; NotObserved also CounterDrift and GhostAllowing',
    reasons: {
      AllNodesReady: 'Every node is ready and Redis is connected.',
      NodesNotReady: 'A node is not ready.',
      RedisDisconnected: 'The nodes cannot reach Redis.',
      Unreachable: 'No endpoint of the subject answered.',
      DegradedByFault: 'Unhealthy while a fault of this demo is on.',
      NotObserved: 'Not looked at yet.',
    },
  },
  fault: {
    title: 'Where a fault stands',
    conditions: 'FaultActive',
    reasons: {
      FaultPlanned: 'A fault is announced for the moment given in the status.',
      FaultInjected: 'A fault is on.',
      FaultReleased: 'The fault is over: a probe has seen it end, or the latest moment for it has passed.',
      NoFault: 'No fault has been injected in this run.',
    },
  },
  anomaly: {
    title: 'What became of an anomaly',
    conditions: 'CounterDrift, GhostAllowing; all but Watching and NotTested also status.scenarios[].reason',
    reasons: {
      Detected: 'The invariant was broken.',
      NotDetected: 'It was really looked for and the invariant held.',
      NotTested: 'The run has no such scenario; a dry run has none.',
      Watching: 'The invariant is being watched.',
      FaultNotProven: 'The fault was ordered and no independent probe felt it.',
      EvidenceIncomplete: 'Nothing was detected, and the proof that there was nothing is incomplete.',
      ObservationLost: 'The operator was restarted while the invariant had to be watched.',
    },
  },
} as const;

/** Every reason, with its meaning. */
export const REASONS = {
  ...REASON_GROUPS.standing.reasons,
  ...REASON_GROUPS.verdict.reasons,
  ...REASON_GROUPS.failure.reasons,
  ...REASON_GROUPS.refusal.reasons,
  ...REASON_GROUPS.health.reasons,
  ...REASON_GROUPS.fault.reasons,
  ...REASON_GROUPS.anomaly.reasons,
} as const;

export type Reason = keyof typeof REASONS;

/** A condition as Kubernetes defines it (metav1.Condition). */
export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration: number;
  /** RFC 3339, whole seconds; moves only when `status` does. */
  lastTransitionTime: string;
  reason: Reason;
  message: string;
}
