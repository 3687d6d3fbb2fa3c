/**
 * What a subject is to the framework: a definition that says what its story and
 * its scenarios are (pure), and a driver that can touch it (I/O).
 */
import type { ChaosDemoSpec, Expectation } from '../api/index.ts';
import type { Chapter } from './chapter.ts';
import type { Activity, Effect } from './effects.ts';
import type { Observed } from './observed.ts';

/** A scenario as the framework needs it, whatever its type does. */
export interface Scenario {
  name: string;
  /** As in the API; also the type of the condition that tells its outcome. */
  type: 'CounterDrift' | 'GhostAllowing';
  expect: Expectation;
  countdownMs: number;
  /** The fault ends by itself at most this long after its start. */
  faultMs: number;
  settleMs: number;
  /** Room that the window must still have when the fault is planned, without the countdown. */
  windowNeedMs: number;
  /** Whether steady traffic goes on while the fault lasts. */
  load: boolean;
  /**
   * What to do about a fault announced by a process that is gone. Inquire: ask
   * the subject whether it was injected, and try again only if it was not.
   * Retry: try once more with a new key.
   */
  onOrphan: 'Inquire' | 'Retry';
  /** What the countdown counts down to: "Redis stops taking writes". */
  faultTitle: string;
  /** The invariant in a sentence, with its numbers. */
  invariant: string;
}

export interface SubjectDefinition {
  chapters(spec: ChaosDemoSpec): Chapter[];
  scenarios(spec: ChaosDemoSpec): Scenario[];
  /** First part of the names of the keys that the demo makes. */
  keyPrefix(spec: ChaosDemoSpec): string;
  /** Time between two looks at the health of the subject, in milliseconds. */
  healthIntervalMs(spec: ChaosDemoSpec): number;
  /** Whether a fault of this type can be cut short; such a one holds the object until that is done. */
  releasable(type: string): boolean;
  /** What will be done, and to what. */
  welcome(spec: ChaosDemoSpec, observed: Observed): string;
  /** Both figures of an invariant in one, short enough for a column. */
  summarize(type: Scenario['type'], observed: number, bound: number): string;
}

/**
 * The part that touches a subject, one for each run. Findings go into
 * `observed` (the parts that belong to it) and `onChange` is called whenever
 * `decide` should look again.
 */
export interface SubjectDriver {
  /** Health, reports and readings seen so far; the same object, updated in place. */
  readonly observed: Observed;
  /** Performs an effect; resolves when its finding is in `observed`. Never throws for what the subject did. */
  perform(effect: Effect, signal: AbortSignal): Promise<void>;
  /** Starts what is missing of these activities and stops what is not among them. */
  converge(activities: Activity[]): void;
  /** Ends every activity and closes every connection. A fault stays as it is. */
  close(): Promise<void>;
}
