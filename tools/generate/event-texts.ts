/** The reasons of events, in the words of the reference. */

/**
 * Event reasons in `kubectl events` of a ChaosDemo. Reasons of refusals, of waiting and of verdicts with a cause are in
 * addition (see Reason).
 */
export const EVENT_REASONS = {
  RunStarted: 'A run began.',
  FaultInjected: 'A fault is active, or was active and has already ended.',
  FaultReleased:
    'A fault has ended: a probe has seen it end, or its bound has passed. The note states which.',
  ViolationDetected: 'An invariant was violated.',
  InvariantHeld: 'An invariant was watched the whole time, and held.',
  ResultInconclusive: 'The evidence does not show whether an invariant was violated.',
  RunSucceeded: 'Every scenario ended as expected.',
  RunFailed: 'A scenario did not end as expected.',
  RunErrored: 'The run could not be carried out.',
  RunAborted: 'The run was stopped, or its object was deleted.',
  EvidenceNotKept:
    'The evidence of a run, or its end, could not be kept in a ConfigMap. No run depends on it.',
  Superseded: 'The run was stopped because a newer request replaced it.',
} as const;
