/** The health-poller protocol: whether a subject is healthy, without knowing what the subject is. */

import type { DependencyStatus, RunStatus } from '../api/index.ts';
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

/** State of a healthy pod. */
export const READY = 'ready';

/** State of a pod that did not answer. */
export const UNREACHABLE = 'unreachable';

/** Adds a snapshot to the pods of a run, and to what they depend on. */
export function applyHealth(run: RunStatus, { dependencies, pods }: HealthSnapshot): void {
  const states = new Map(pods.map(({ name, state }) => [name, truncate(state, 32)]));
  for (const pod of run.pods ?? []) {
    const state = states.get(pod.name);
    if (state === undefined) delete pod.state;
    else pod.state = state;
  }
  run.dependencies = dependencies.slice(0, LIMITS.dependencies).map(({ name, connected }) => ({
    name: truncate(name, 32),
    connected,
  }));
}

/** How many pods of a run are ready: "2 of 3", "15 of the first 16"; undefined: not checked yet. */
export function podsReady({ dependencies, pods = [] }: RunStatus): string | undefined {
  if (!dependencies) return undefined;
  const ready = pods.filter(({ state }) => state === READY).length;
  return `${ready} of ${pods.length < LIMITS.pods ? '' : 'the first '}${pods.length}`;
}
