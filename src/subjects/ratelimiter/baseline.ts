/**
 * What is normal without a fault: how long a write of Redis takes, and how far what is counted lies behind what is
 * admitted at the rates of the faults' traffic. Faults are judged against it. How it is measured is up to the interface
 * of the rate limiter; the same traffic serves as control: see controls.ts.
 */
import type { Control } from './controls.ts';

/** How far counts lay behind at one rate. */
export interface Lag {
  /** The furthest that what was admitted was ahead of what was counted: in Redis, or as answers told. */
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
