/**
 * The health-poller protocol: how the framework learns whether a subject is
 * well, without knowing what the subject is.
 */

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
}

export interface HealthNode {
  id: string;
  address: string;
  state: string;
}

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
