/**
 * The health-poller protocol: how the framework learns whether a subject is
 * well, without knowing what the subject is.
 */

import { isDeepStrictEqual } from 'node:util';
import type { HealthStatus } from '../api/index.ts';
import { LIMITS, truncate } from '../api/index.ts';

/** One look at a subject. */
export interface HealthSnapshot {
  nodes: HealthNode[];
  redisConnected: boolean;
  /** Whether anything is not as it should be, `redisConnected` included. */
  hasIssues: boolean;
  /** What is wrong, for people; empty when nothing is. */
  issues: string[];
  /** When the look ended, in milliseconds since the epoch. */
  lastUpdated: number;
  /** Until when it says something of now: the next look should be there by then. */
  validUntil: number;
}

export interface HealthNode {
  id: string;
  address: string;
  /** What the subject calls it, or UNREACHABLE. */
  state: string;
}

/** State of a node that did not answer. */
export const UNREACHABLE = 'unreachable';

/**
 * Looks at a subject again and again. `run` resolves once `signal` is aborted
 * or `stop` was called; a look that fails is a snapshot with issues, never a throw.
 */
export interface HealthPoller {
  run(signal: AbortSignal): Promise<void>;
  /** The last snapshot; undefined before the first look has ended. */
  getHealth(): HealthSnapshot | undefined;
  stop(): void;
}

/** The part of a snapshot that stands in the status; the very same object while nothing has changed. */
export function healthStatus(
  before: HealthStatus | undefined,
  snapshot: HealthSnapshot,
  now: number,
): HealthStatus {
  const next = {
    nodes: snapshot.nodes.slice(0, LIMITS.nodes).map(({ id, address, state }) => ({
      id: truncate(id, 253),
      address: truncate(address, 64),
      state: truncate(state, 32),
    })),
    total: snapshot.nodes.length,
    redisConnected: snapshot.redisConnected,
    hasIssues: snapshot.hasIssues,
  };
  if (before) {
    const { lastTransitionTime: _, ...rest } = before;
    if (isDeepStrictEqual(rest, next)) return before;
  }
  return { ...next, lastTransitionTime: new Date(now).toISOString() };
}
