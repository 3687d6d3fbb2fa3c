/** The tools of a run of a rate limiter. */
import type { Toolkit as PodsToolkit } from '../scenarios/tools.ts';
import type { CallerControls } from './interfaces/http/control-callers.ts';
import type { HttpCallers } from './interfaces/http/http-callers.ts';
import type { OwnLimit } from './interfaces/own-limit.ts';
import type { RateLimiterSpec } from './spec/schema.ts';

export interface Toolkit extends PodsToolkit {
  readonly limiter: RateLimiterSpec;
  readonly callers: HttpCallers;
  /** For a limiter that identifies callers by the source address only: every request is of one caller. */
  readonly ownLimit?: OwnLimit;
  readonly control: () => CallerControls | undefined;
}
