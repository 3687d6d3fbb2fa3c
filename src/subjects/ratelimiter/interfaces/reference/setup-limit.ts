/** Sets the demo's own limit on the rate limiter and makes sure that every pod uses it. */
import { messageOf, truncate } from '../../../../api/index.ts';
import { endingWithin, pauseFor, within } from '../../../waiting.ts';
import { type LimiterClient, LimiterClientError } from './limiter-client.ts';

/** Retry interval for a pod that does not know the key yet. */
const RETRY_MS = 25;

/** How long to wait for a pod's answer to a limit that is no longer needed, in milliseconds. */
const LAST_WORD_MS = 2000;

/** How long the other pods may take once one has removed a limit, in milliseconds. */
const OTHERS_MS = 2000;

/** Characters of the pods' reasons in a message: what to do comes after them. */
const MOST_REASONS = 200;

/** A key with a window that every pod has. */
export interface LimitWindow {
  readonly key: string;
  readonly limit: number;
  readonly windowId: string;
  /** Milliseconds since the epoch by the clock of Redis. */
  readonly windowEndsAt: number;
}

/**
 * Defines `limit` requests in `windowMs` on `key`, by the first pod that accepts it, and reads it back on every pod
 * until all have the same window.
 *
 * @throws Error with what to do, if that takes longer than `timeoutMs`; the reason of `signal`, at most 2 s after
 * it is aborted
 * @example
 * const { windowId } = await setupRateLimit(clients, 'demo-key', 10, 60_000, 5000, signal);
 */
export async function setupRateLimit(
  clients: readonly LimiterClient[],
  key: string,
  limit: number,
  windowMs: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<LimitWindow> {
  const deadline = performance.now() + timeoutMs;
  const defined = await defineOnFirst(clients, { key, limit, windowMs, timeoutMs }, signal);
  await Promise.all(
    clients.map(async (client) => {
      let last = 'no request was sent';
      do {
        try {
          const answer = await client.limit(key, signal);
          if (answer?.windowId === defined.windowId && answer.limit === limit) return;
          last = answer
            ? `it has window ${answer.windowId} with limit ${answer.limit}`
            : 'it does not know the key';
        } catch (error) {
          signal.throwIfAborted();
          last = messageOf(error);
        }
        await pauseFor(RETRY_MS, signal);
      } while (performance.now() < deadline);
      throw new Error(
        `pod ${client.name} did not learn the limit of ${key} within ${timeoutMs} ms (${last}): see whether it reaches the same Redis as the others, or raise rateLimiter.health.timeout`,
      );
    }),
  );
  return { key, limit, windowId: defined.windowId, windowEndsAt: defined.windowEndsAt };
}

/**
 * Defines the limit by the first pod that accepts it. If a pod gives no answer, no further pod is tried: it may still
 * carry out the request later, and so replace a window that another pod began. A pod that refuses, accepts no
 * connection or breaks it off has no request left to carry out.
 */
async function defineOnFirst(
  clients: readonly LimiterClient[],
  { key, limit, timeoutMs, windowMs }: { key: string; limit: number; windowMs: number; timeoutMs: number },
  signal: AbortSignal,
): Promise<{ windowId: string; windowEndsAt: number }> {
  const until = performance.now() + timeoutMs;
  const reasons: string[] = [];
  let isLate = false;
  for (const client of clients) {
    signal.throwIfAborted();
    try {
      // Not cancelled once it is sent: a pod carries out a request even if its caller is gone, and would do so after
      // the key was removed. A working pod is done within a moment, and a silent one is sent the removal as well.
      const answer = client.define(key, limit, windowMs, new AbortController().signal);
      return await endingWithin(answer, LAST_WORD_MS, signal);
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(messageOf(error));
      isLate = isSilent(error) || performance.now() >= until;
      if (isLate) break;
    }
  }
  const why = truncate(reasons.join('; '), MOST_REASONS) || 'there is no pod';
  const late = isLate ? ` within ${timeoutMs} ms` : '';
  throw new Error(
    `no pod accepted the limit of ${key}${late} (${why}): check that the rate limiter serves POST /limit on the port in rateLimiter.port, and that its Redis accepts writes`,
  );
}

/** Whether a pod may still carry out the request. */
function isSilent(error: unknown): boolean {
  return error instanceof LimiterClientError && error.failure === 'TIMEOUT';
}

/**
 * Removes the limit of `key` on every pod, and returns whether there was one; it is no error if no pod knows it. One
 * pod's answer would do while Redis keeps its data. But if Redis loses it before the others have noticed, a pod that
 * still knows the limit puts it back. So the others get the request as well, and after the first answer they have two
 * seconds, so that a stalled pod does not delay the rest by its timeout. "Unknown key" is no answer if another pod
 * refuses, because that one may still know it: a restarted pod knows nothing.
 * @throws an error of a pod if all failed, or if none removed it and one refused
 */
export async function removeRateLimit(
  clients: readonly LimiterClient[],
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  const late = new AbortController();
  const called = AbortSignal.any([signal, late.signal]);
  const result = clients.map(async (client) => client.remove(key, called));
  const all = Promise.allSettled(result);
  await Promise.any(result).catch(() => undefined);
  await within(all, OTHERS_MS);
  late.abort(new Error(`no answer for ${OTHERS_MS} ms after another pod had`));
  const removals = await all;
  const answers = removals.flatMap((removal) => (removal.status === 'fulfilled' ? [removal.value] : []));
  if (answers.includes(true)) return true;
  const errors = removals.flatMap((removal) =>
    removal.status === 'rejected' ? [removal.reason as unknown] : [],
  );
  const refusal = errors.find((error) => error instanceof LimiterClientError && error.failure === 'REFUSED');
  if (answers.length > 0 && refusal === undefined) return false;
  signal.throwIfAborted();
  const last = refusal ?? errors.at(-1);
  throw last instanceof Error ? last : new Error(`there is no pod to remove ${key} on`);
}
