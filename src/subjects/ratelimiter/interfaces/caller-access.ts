/** A rate limiter as its callers meet it: for experiments that go by what callers get. */

import type { NodeClient } from '../http/node-client.ts';
import type { HttpRequest } from '../http/request.ts';
import { admittedAtOnce, type RateLimit } from '../limits/rate-limit.ts';
import { returnsWithin } from '../limits/replenish.ts';
import type { Toolkit } from '../tools.ts';
import type { Callers } from './callers.ts';
import type { Exhausted } from './exhaust-limit.ts';
import { controlProblem } from './http/control-callers.ts';
import { limitOf } from './http/limit-of-spec.ts';
import { WHO_IS_TAKEN } from './http/over-limit.ts';
import { healthPathOf, mappingOf } from './reference/preset.ts';
import type { ReferenceLimiter } from './reference/reference-limiter.ts';
import { referenceProblem } from './reference/reference-problem.ts';

/** A caller that the limiter has never seen. */
export interface NewCaller {
  readonly key: string;
  /** Requests that it is to be allowed; default: the limit of the spec. Only the bundled limiter takes it. */
  readonly allowed?: number;
  /** Length of its window; default: that of the spec. Only the bundled limiter takes it; milliseconds. */
  readonly windowMs?: number;
}

export interface CallerAccess {
  /** One for each pod, in the same order. */
  readonly clients: readonly NodeClient[];
  readonly callers: Callers;
  /** A request that needs no limiter: it distinguishes a slow pod from a slow limiter. */
  readonly control: HttpRequest;
  /** What one caller is allowed by default. */
  readonly limit: RateLimit;
  /** Sets limits and samples counters; undefined: the limiter takes none, and a new key is a new caller. */
  readonly reference?: ReferenceLimiter | undefined;
  /** Requests for which one caller stays under its limit, of `most` that such callers will send. */
  usesOf(most: number): number;
  /**
   * How long a caller that has used its limit up is rejected at most, in milliseconds; undefined: longer than a run
   * waits, or the run itself begins the windows.
   */
  readonly returnsWithinMs?: number | undefined;
  /**
   * Why a caller that used its limit up without any fault did not get what it should; undefined: it did.
   * To be thrown: a LimitNotKeptError is a violation.
   */
  problemOf(control: Exhausted, timeoutField: string): Error | undefined;
  /** What to do if callers under their limit are rejected without any fault. */
  readonly advice: string;
}

export function callerAccess({
  podClients: clients,
  callers,
  limiter,
  reference,
}: Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'reference'>): CallerAccess {
  const http = mappingOf(limiter);
  const limit = limitOf(limiter);
  const common = {
    clients,
    callers,
    control: { method: 'GET', path: healthPathOf(limiter) },
    limit,
  };
  if (reference) {
    return {
      ...common,
      reference,
      usesOf: (most) => most,
      problemOf: (control, timeoutField) =>
        referenceProblem(limit, admittedAtOnce(limit), control, timeoutField),
      advice: 'see in the logs of the rate limiter why',
    };
  }
  return {
    ...common,
    returnsWithinMs: returnsWithin(limit),
    usesOf: () => Math.max(1, Math.floor(admittedAtOnce(limit) / 2)),
    problemOf: (control, timeoutField) => controlProblem(limit, http, control, timeoutField),
    advice: `see whether rateLimiter.limit is the limit of your rate limiter, and ${WHO_IS_TAKEN.Key}`,
  };
}
