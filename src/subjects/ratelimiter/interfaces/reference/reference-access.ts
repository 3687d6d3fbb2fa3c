/** The reference limiter as its callers meet it. The demo sets their limits itself, each on a key of its own. */
import { counted, parseDuration } from '../../../../api/index.ts';
import type { Toolkit } from '../../faults/fault.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { clockOffset } from '../../store/clock-offset.ts';
import { pauseFor } from '../../waiting.ts';
import type { CallerAccess } from '../caller-access.ts';
import { limitOf } from '../http/limit-of-spec.ts';
import type { UsedUp } from '../use-up.ts';
import { type SampledWindow, sampleCounters, totalAdmitted } from './counter-sample.ts';
import { ReferenceCallers } from './reference-callers.ts';
import { removeRateLimit, setupRateLimit } from './setup-limit.ts';

/** How long half a key may take to be removed again; milliseconds. */
const CLEAN_UP_MS = 5000;
/** Time between two looks whether Redis holds what the nodes admitted; milliseconds. */
const LOOK_EVERY_MS = 50;
/** It may not do so for ever, where an outage has lost counts: so long the first look of a caller waits for it, at most; milliseconds. */
const REST_MS = 5000;
/** Once it does, the nodes may take so long to learn of each other's counts; they look ten times a second. */
const LEARN_MS = 500;

/** @param toolkit with clients of the interface, and an asker for each node */
export function referenceAccess(
  toolkit: Pick<Toolkit, 'askers' | 'clients' | 'limiter' | 'now' | 'observers' | 'redis' | 'timeoutMs'>,
): CallerAccess {
  const { askers, clients, limiter, now, observers, redis, timeoutMs } = toolkit;
  const limit = limitOf(limiter);
  const windowMs = parseDuration(limiter.limit.window);
  const callers = new ReferenceCallers();
  const windows = new Map<string, SampledWindow>();
  /** Callers of whom Redis did not come to hold what the nodes admitted. */
  const restless = new Set<string>();
  const access: CallerAccess = {
    clients: askers,
    callers,
    control: { method: 'GET', path: '/health' },
    limit,
    usesOf: (most) => most,
    async introduce(some, signal) {
      const all = [...some];
      const defined = await Promise.allSettled(
        all.map(async ({ key, allowed = limiter.limit.requests }) => {
          const window = await setupRateLimit(clients, key, allowed, windowMs, timeoutMs, signal);
          callers.began(window.windowId);
          windows.set(key, window);
          return window.windowEndsAt;
        }),
      );
      try {
        const ends = defined.map((one) => {
          if (one.status === 'rejected') throw one.reason;
          return one.value;
        });
        const offset = await clockOffset(redis, now);
        signal.throwIfAborted();
        return Math.min(...ends) - offset;
      } catch (error) {
        await access.forget(all);
        throw error;
      }
    },
    async forget(some) {
      const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
      await Promise.allSettled([...some].map(async ({ key }) => removeRateLimit(clients, key, within)));
    },
    async learned(key, signal) {
      const window = windows.get(key);
      const waitMs = restless.has(key) ? 0 : Math.min(timeoutMs, REST_MS);
      const deadline = performance.now() + waitMs;
      while (window) {
        const sample = await sampleCounters(observers, redis, window, now, signal);
        if (sample.admitted.size === observers.length && totalAdmitted(sample) === sample.stored) break;
        if (performance.now() >= deadline) {
          restless.add(key);
          break;
        }
        await pauseFor(LOOK_EVERY_MS, signal);
      }
      await pauseFor(LEARN_MS, signal);
    },
    problemOf: (control, timeoutField) => problemOf(limit, control, timeoutField),
    advice: 'see in the logs of the rate limiter why',
  };
  return access;
}

function problemOf(
  limit: RateLimit,
  { improper, requests, usedUp }: UsedUp,
  timeoutField: string,
): Error | undefined {
  if (improper) {
    const { asked, got, node, problem } = improper;
    const remedy =
      got === 'Unanswered'
        ? `See in the logs why it waits, or raise ${timeoutField}`
        : 'See in the logs why it neither admitted nor denied: an error is no denial';
    return new Error(`without any fault ${node} was asked ${asked}: ${problem}. ${remedy}`);
  }
  const admitted = requests.filter(({ got }) => got === 'Admitted');
  const full = admittedAtOnce(limit);
  const { excess } = overAdmission(
    limit,
    admitted.map(({ endedAt: answeredAt, sentAt }) => ({ sentAt, answeredAt })),
    { firstSentAt: requests[0]?.sentAt ?? 0 },
  );
  if (!usedUp || excess > 0) {
    return new Error(
      `without any fault one caller was let through ${counted(admitted.length, 'time')}, and the limit of its key is ${full}, although the nodes had time to learn of each other's counts: see whether all of them count in the same Redis`,
    );
  }
  if (admitted.length < full) {
    return new Error(
      `without any fault one caller was denied after ${counted(admitted.length, 'request')}, and the limit of its key is ${full}: see who else sends requests for keys that begin with demo-`,
    );
  }
  return undefined;
}
