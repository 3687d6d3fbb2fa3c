/**
 * The measurements without a fault: how long a write to Redis takes, and how far counts lag behind admissions at the
 * rates of the faults' traffic. Faults are judged against it. How it is measured depends on the interface of the rate
 * limiter; the same traffic serves as control: see controls.ts.
 */
import type { Control } from '../checkers/controls.ts';

/** How far counts lagged at one rate. */
export interface Lag {
  /** The largest lead of admissions over counts: in Redis, or as reported by answers. */
  readonly lag: number;
  readonly samples: number;
}

export interface Baseline {
  readonly writeP50Ms: number;
  readonly writeMaxMs: number;
  /** By the rate of the traffic, in requests per second. */
  readonly lags: ReadonlyMap<number, Lag>;
  readonly denying: Control;
}
