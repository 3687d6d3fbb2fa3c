/** A limiter behind HTTP as its callers meet it. It is told of no caller: each key is one that it has never seen. */
import type { Toolkit } from '../../faults/fault.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { returnsWithin } from '../../limits/whole-again.ts';
import type { CallerAccess } from '../caller-access.ts';
import { controlProblem } from './control-callers.ts';
import { limitOf } from './limit-of-spec.ts';
import { WHO_IS_TAKEN } from './over-limit.ts';

export function httpAccess({
  askers: clients,
  callers,
  limiter,
}: Pick<Toolkit, 'askers' | 'callers' | 'limiter'>): CallerAccess {
  const { http } = limiter.interface;
  if (!callers || !http) throw new TypeError('the rate limiter is not behind HTTP');
  const limit = limitOf(limiter);
  return {
    clients,
    callers,
    control: { method: 'GET', path: http.health.path },
    limit,
    returnsWithinMs: returnsWithin(limit),
    usesOf: () => Math.max(1, Math.floor(admittedAtOnce(limit) / 2)),
    introduce: async () => undefined,
    forget: async () => undefined,
    problemOf: (control, timeoutField) => controlProblem(limit, http, control, timeoutField),
    advice: `see whether subject.rateLimiter.limit is the limit of your rate limiter, and ${WHO_IS_TAKEN.Key}`,
  };
}
