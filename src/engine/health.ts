/** The health-poller protocol: whether a subject is healthy, without knowing what the subject is. */

/** The result of one health check of a subject. */
export interface HealthSnapshot {
  readonly pods: readonly PodHealth[];
  /** The dependencies of the pods, by name, and whether they answer. */
  readonly dependencies: readonly { readonly name: string; readonly connected: boolean }[];
  /** Whether there is any issue, in `dependencies` too. */
  readonly hasIssues: boolean;
  /** The issues, for people; empty if there are none. */
  readonly issues: readonly string[];
  /** When the check ended, in milliseconds since the epoch. */
  readonly lastUpdated: number;
  /** When the snapshot expires: the next one should be there by then. */
  readonly validUntil: number;
}

export interface PodHealth {
  readonly name: string;
  /** The subject's name for the state, or UNREACHABLE. */
  readonly state: string;
}

/** State of a healthy pod. */
export const READY = 'ready';

/** State of a pod that did not answer. */
export const UNREACHABLE = 'unreachable';
