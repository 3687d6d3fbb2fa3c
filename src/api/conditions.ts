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

export const REASONS = {
  // Where a run stands
  Pending: 'The operator has not looked at the object yet.',
  CoolingDown: 'A run was superseded a moment ago; the next starts when its Redis has rested.',
  Running: 'A chapter is at work.',
  AwaitingAdvance: 'Manual pace: the chapter is done and waits for the advance annotation.',
  Suspended: 'spec.suspend is set.',
  Stopping: 'The run is being stopped and what it did is being undone.',

  // Verdicts
  ExpectationsMet: 'Every scenario ended as expected.',
  DryRunPassed: 'Discovery, permissions and health are as they should be; no fault was injected.',
  AnomalyNotReproduced: 'A scenario expected Detected and proved NotDetected.',
  UnexpectedAnomaly: 'A scenario expected NotDetected and was Detected.',
  Inconclusive: 'A scenario could neither be detected nor proven absent.',
  Aborted: 'The run was stopped by the abort annotation.',
  Superseded: 'A newer request replaced the run.',

  // Why a run could not be carried out
  TargetUnhealthy: 'The subject did not become healthy in time; nothing (further) was injected.',
  BaselineFailed: 'The measurements without a fault could not be made.',
  PrepareFailed: 'The key of a scenario could not be set up on every pod.',
  RecoveryFailed: 'After a fault, writes were not taken again in time.',
  RestoreFailed: 'What the run did could not be undone; the message says what to do by hand.',
  DeadlineExceeded: 'The run took longer than spec.activeDeadline.',
  StatusRejected: 'The API server refused a status; the fault was released.',
  SessionFailed: 'The operator could not open what it needs for the run.',

  // Refusals: nothing starts until somebody changes something
  NamespaceNotEnabled: 'The namespace lacks the label chaosdemo.dev/enabled=true.',
  PermissionDenied: 'The operator has no RoleBinding in the namespace.',
  NoSuchPods: 'The selector matches no ready pod.',
  PodsNotEligible: 'A selected pod cannot be used: host network, no such port, or several images.',
  RedisNotFound: 'The Redis Service, or a ready pod behind it, is missing.',
  RedisNotEligible: 'This kind of Redis Service or topology is not supported.',
  RedisUnreachable: 'The Redis does not answer, or refuses the credentials.',
  RedisAuthInvalid: 'The Secret is missing or not of type chaosdemo.dev/redis-auth.',
  SharedRedis: 'Clients that are neither selected pods nor ours use this Redis.',
  RedisInUse: 'Another ChaosDemo is running on the same Redis; this one waits.',
  KillSwitch: 'The kill switch of the operator is on.',

  // Healthy, FaultActive and the anomalies
  AllNodesReady: 'Every node is ready and Redis is connected.',
  NodesNotReady: 'A node is not ready.',
  RedisDisconnected: 'The nodes cannot reach Redis.',
  Unreachable: 'No endpoint of the subject answered.',
  DegradedByFault: 'Unhealthy while a fault of this demo is on.',
  NotObserved: 'Not looked at yet.',
  FaultPlanned: 'A fault is announced for the moment given in the status.',
  FaultInjected: 'A fault is on.',
  FaultReleased: 'The fault is over, and a probe has seen it end.',
  NoFault: 'No fault has been injected in this run.',
  Detected: 'The invariant was broken.',
  NotDetected: 'It was really looked for and the invariant held.',
  NotTested: 'The spec has no such scenario.',
  Watching: 'The invariant is being watched.',
  FaultNotProven: 'The fault was ordered and no independent probe felt it.',
  EvidenceIncomplete: 'Nothing was detected, and the proof that there was nothing is incomplete.',
  ObservationLost: 'The operator was restarted while the invariant had to be watched.',
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
