/** What a run asks of a rate limiter, whatever its faults: one for each interface that pods may speak. */
import type { Outcome } from '../../../demo/observed.ts';
import type { Baseline } from '../baseline.ts';
import type { CallerAccess } from './caller-access.ts';
import type { Look } from './poll-health.ts';

/** What was found out without a fault. */
export interface Controls {
  readonly outcome: Outcome;
  /** The slowest write; milliseconds. */
  readonly writeMaxMs: number;
  /** Why it is not shown that the limiter counts in the Redis that the spec names; undefined: it is. */
  readonly storeDoubt?: string;
  /** Undefined where no fault is held against it. */
  readonly baseline?: Baseline;
}

export interface ControlOptions {
  /** Name of the key of the control, and beginning of the names of further ones. */
  readonly key: string;
  /** Of the steady traffic of faults, in requests a second. */
  readonly rates: readonly number[];
}

export interface LimiterInterface {
  /** Makes the controls. @throws Error that says what does not fit together, and what to do */
  control(options: ControlOptions, signal: AbortSignal): Promise<Controls>;
  readonly look: Look;
  /** For faults that go by what callers get. */
  readonly access: CallerAccess;
  /** Keys whose limits the demo has set for a fixture, and has to take back. */
  keysOf(fixture: string): readonly string[];
}
