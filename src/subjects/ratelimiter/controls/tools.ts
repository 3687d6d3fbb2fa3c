/** The tools of a run of a rate limiter, and what its controls showed. */
import type { Toolkit as PodsToolkit } from '../../scenarios/tools.ts';
import type { Setup } from '../history/setup.ts';
import type { HttpCallers } from '../interfaces/http/http-callers.ts';
import type { OwnLimit } from '../interfaces/own-limit.ts';
import type { RateLimiterSpec } from '../spec/schema.ts';

/** The largest lead of admissions over counts in Redis, in so many samples. */
export type Lag = Readonly<Record<'lag' | 'samples', number>>;

/** What the controls showed. */
export interface CallerControls {
  readonly message: string;
  /** The limit of the spec, with what it left out; left out: it left nothing out. */
  readonly limit?: RateLimiterSpec['limit'];
  /** Why it is not shown that the limiter counts in this Redis; undefined: it is. */
  readonly storeDoubt?: string;
  readonly baseline: Omit<NonNullable<Setup['baseline']>, 'lag'> & {
    /** By the rate of the traffic, in requests per second. */
    readonly lags: ReadonlyMap<number, Lag>;
  };
}

export type Baseline = CallerControls['baseline'];

export interface Toolkit extends PodsToolkit {
  readonly limiter: RateLimiterSpec;
  readonly callers: HttpCallers;
  /** For a limiter that identifies callers by the source address only: every request is of one caller. */
  readonly ownLimit?: OwnLimit;
  readonly control: () => CallerControls | undefined;
}
