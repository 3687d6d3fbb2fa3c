/**
 * The controls before any fault: a caller whom the limiter has never seen is let through as often as
 * its limit allows, and then denied by every node.
 */
import { measureWrites } from '../../baseline.ts';
import type { Toolkit } from '../../faults/fault.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits } from '../../limits/window-turn.ts';
import { counted } from '../../words.ts';
import type { CallerRequest } from '../caller-request.ts';
import { type UsedUp, useUp } from '../use-up.ts';
import { limitOf } from './limit-of-spec.ts';

/** Requests beyond its limit after which a limiter that denies none is given up. */
const MOST_BEYOND = 50;
/** How long the control may take, in milliseconds, and so has to fit into a window by the clock. */
const CONTROL_MS = 2000;

/** @throws Error that says what does not fit together, and what to do; RedisClientError */
export async function controlCallers(
  toolkit: Pick<Toolkit, 'askers' | 'callers' | 'limiter' | 'now' | 'redis' | 'timeoutMs'>,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly message: string; readonly writeMaxMs: number }> {
  const { askers: clients, callers, limiter, now, redis, timeoutMs } = toolkit;
  if (!callers) throw new TypeError('there are no callers');
  const writeMaxMs = (await measureWrites(redis, signal)).at(-1) ?? 0;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  await untilItFits(limit, CONTROL_MS, now, signal);
  const options = { clients, callers, key, most: 2 * full + MOST_BEYOND, callerTimeoutMs: timeoutMs };
  const control = await useUp(options, signal);
  const problem = controlProblem(limit, control);
  if (problem !== undefined) throw new Error(problem);
  const admitted = control.requests.filter(({ got }) => got === 'Admitted').length;
  return {
    writeMaxMs,
    message: `Baseline: a write to Redis takes at most ${writeMaxMs.toFixed(1)} ms. Without a fault, one caller was let through ${counted(admitted, 'time')} and then denied by every node`,
  };
}

/** Why a limiter without a fault does not do what the spec says; undefined: it does. Pure. */
export function controlProblem(limit: RateLimit, { improper, requests, usedUp }: UsedUp): string | undefined {
  if (improper) {
    return `without any fault ${improper.node} ${improper.problem}: see subject.rateLimiter.interface.http (request, admitted, denied), or raise health.timeout`;
  }
  const admitted = requests.filter(({ got }) => got === 'Admitted');
  const { bound, excess } = overAdmission(limit, admitted.map(timesOf), {
    firstSentAt: requests[0]?.sentAt ?? 0,
    clockWithinMs: CLOCK_WITHIN_MS,
  });
  const full = admittedAtOnce(limit);
  if (!usedUp || excess > 0) {
    return `without any fault one caller was let through ${counted(admitted.length, 'time')}, and the limit allows ${Math.max(bound, full)}: see whether subject.rateLimiter.limit is the limit of your rate limiter, and whether $(key) stands where it takes the identity of its caller`;
  }
  if (admitted.length < full) {
    return `without any fault one caller was denied after ${counted(admitted.length, 'request')}, and the limit allows ${full}: correct subject.rateLimiter.limit`;
  }
  return undefined;
}

function timesOf({ endedAt, sentAt }: CallerRequest): { sentAt: number; answeredAt: number } {
  return { sentAt, answeredAt: endedAt };
}
