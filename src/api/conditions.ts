/**
 * The condition types and reasons that every ChaosDemo has. Reasons are API: people match on them in pipelines and
 * alerts, so each is listed here or in the API of its subject, and the reference documents it. The schema leaves both
 * open, so that operator and CRD may be upgraded in either order.
 */

import type { Condition } from './status.ts';

/** The condition that reports whether an invariant of a scenario type was violated, if a run has it: "OutageViolated". */
export function violationCondition(scenarioType: string): string {
  return `${scenarioType}Violated`;
}

/** The conditions for the state of an object. There are also Healthy, FaultActive, and one for each scenario type. */
export type StateCondition = 'Ready' | 'Reconciling' | 'Stalled' | 'Finished' | 'Succeeded';

/** The status of each of them, for each state an object can be in; one that is left out is absent. */
export const CONDITIONS_BY_STATE: Record<
  'unseen' | 'open' | 'succeeded' | 'unsuccessful' | 'refused' | 'suspended',
  Partial<Record<StateCondition, Condition['status']>>
> = {
  unseen: { Ready: 'Unknown' },
  open: { Ready: 'False', Reconciling: 'True', Finished: 'False', Succeeded: 'Unknown' },
  succeeded: { Ready: 'True', Finished: 'True', Succeeded: 'True' },
  unsuccessful: { Ready: 'False', Stalled: 'True', Finished: 'True', Succeeded: 'False' },
  refused: { Ready: 'False', Stalled: 'True', Finished: 'False', Succeeded: 'Unknown' },
  suspended: { Ready: 'False', Finished: 'False', Succeeded: 'Unknown' },
};

/** The reasons, grouped by meaning; docs/troubleshooting.md explains each. */
export const REASON_GROUPS = {
  standing: [
    'Pending',
    'CoolingDown',
    'TooManyRuns',
    'BackOff',
    'Running',
    'AwaitingAdvance',
    'Suspended',
    'Stopping',
  ],
  verdict: [
    'ExpectationsMet',
    'NoExpectation',
    'ViolationNotReproduced',
    'UnexpectedViolation',
    'BaselineViolated',
    'Inconclusive',
    'Aborted',
    'Superseded',
  ],
  failure: [
    'TargetUnhealthy',
    'BaselineFailed',
    'PrepareFailed',
    'RecoveryFailed',
    'RestoreFailed',
    'DeadlineExceeded',
  ],
  refusal: [
    'NamespaceNotEnabled',
    'PermissionDenied',
    'NoSuchPods',
    'PodsNotEligible',
    'UnprovableSpec',
    'SubjectUnknown',
    'KillSwitch',
  ],
  health: [
    'AllPodsReady',
    'PodsNotReady',
    'DependencyDisconnected',
    'Unreachable',
    'DegradedByFault',
    'NotObserved',
  ],
  fault: ['FaultPlanned', 'FaultInjected', 'FaultReleased', 'NoFault'],
  result: ['Violated', 'Held', 'Watching', 'FaultNotProven', 'EvidenceIncomplete', 'ObservationLost'],
} as const;

/** The reasons of the framework; subjects add refusals of their own. */
export type FrameworkReason = (typeof REASON_GROUPS)[keyof typeof REASON_GROUPS][number];

/** A reason of the framework, or a refusal that a subject documents. */
export type Reason = FrameworkReason | (string & {});
