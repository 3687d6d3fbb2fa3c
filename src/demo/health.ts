/** The health-poller protocol: whether a subject is healthy, without knowing what the subject is. */

import { isDeepStrictEqual } from 'node:util';
import type { DependencyStatus, HealthStatus } from '../api/index.ts';
import { LIMITS, truncate } from '../api/index.ts';

/** The result of one health check of a subject. */
export interface HealthSnapshot {
  readonly pods: readonly PodHealth[];
  /** The dependencies of the pods, by name, and whether they answer. */
  readonly dependencies: readonly DependencyStatus[];
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

/** State of a pod that did not answer. */
export const UNREACHABLE = 'unreachable';

/** The part of a snapshot that goes into the status; the same object (identity) if nothing has changed. */
export function healthStatus(
  before: HealthStatus | undefined,
  snapshot: HealthSnapshot,
  now: number,
): HealthStatus {
  const next = {
    pods: snapshot.pods.slice(0, LIMITS.pods).map(({ name, state }) => ({
      name: truncate(name, 253),
      state: truncate(state, 32),
    })),
    total: snapshot.pods.length,
    dependencies: snapshot.dependencies.slice(0, LIMITS.dependencies).map(({ name, connected }) => ({
      name: truncate(name, 32),
      connected,
    })),
    hasIssues: snapshot.hasIssues,
  };
  if (before) {
    const { lastTransitionTime: _, ...rest } = before;
    if (isDeepStrictEqual(rest, next)) return before;
  }
  return { ...next, lastTransitionTime: new Date(now).toISOString() };
}
