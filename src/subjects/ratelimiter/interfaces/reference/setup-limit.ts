/** Puts a limit of the demo's own on the rate limiter and makes sure that every pod goes by it. */
import { messageOf, truncate } from '../../../../api/index.ts';
import { endingWithin, pauseFor, within } from '../../waiting.ts';
import { type LimiterClient, LimiterClientError } from './limiter-client.ts';

/** How long to wait before a pod that does not know the key yet is asked again. */
const ASK_AGAIN_MS = 25;

/** How long a pod may take yet to answer that it was sent a limit which nobody needs any more, in milliseconds. */
const LAST_WORD_MS = 2000;

/** How long the other pods may take once one has removed a limit, in milliseconds. */
const OTHERS_MS = 2000;

/** Characters that the pods' reasons may take of a message: what to do stands behind them. */
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
 * Defines `limit` requests in `windowMs` on `key`, by the first node that takes
 * it, and reads it back on every pod until all have the same window.
 *
 * @throws Error that says what to do, when that takes longer than `timeoutMs`; the reason of `signal`, 2 s after it is aborted at the latest
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
      let last = 'it was not asked';
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
        await pauseFor(ASK_AGAIN_MS, signal);
      } while (performance.now() < deadline);
      throw new Error(
        `node ${client.name} did not learn the limit of ${key} within ${timeoutMs} ms (${last}): see whether it reaches the same Redis as the others, or raise rateLimiter.health.timeout`,
      );
    }),
  );
  return { key, limit, windowId: defined.windowId, windowEndsAt: defined.windowEndsAt };
}

/**
 * By the first pod that takes it. One that is silent is the last one asked: it may carry out what it was sent at any
 * later moment, and so replace the window that another had begun during that time. One that refuses, takes no connection or
 * breaks it off holds nothing back to carry it out later.
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
      // Not cancelled once it is sent: a pod carries out what it was sent, though nobody waits for it, and
      // would do so after the key was removed. A working pod has done it within a moment, and to a silent one
      // the removal is sent as well.
      const answer = client.define(key, limit, windowMs, new AbortController().signal);
      return await endingWithin(answer, LAST_WORD_MS, signal);
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(messageOf(error));
      isLate = isSilent(error) || performance.now() >= until;
      if (isLate) break;
    }
  }
  const why = truncate(reasons.join('; '), MOST_REASONS) || 'there is no node';
  const late = isLate ? ` within ${timeoutMs} ms` : '';
  throw new Error(
    `no node took the limit of ${key}${late} (${why}): see whether the rate limiter serves POST /limit on the port in rateLimiter.port and whether its Redis takes writes`,
  );
}

/** Whether a pod may yet do what it was asked for. */
function isSilent(error: unknown): boolean {
  return error instanceof LimiterClientError && error.failure === 'TIMEOUT';
}

/**
 * Removes the limit of `key` on every node, and returns whether there was one; that nobody knows it is fine. One
 * pod's word would do as long as Redis stands; but if Redis loses its data before the others have learned of it,
 * a pod that still knows the limit puts it back. So the others are asked as well, and a pod that stands still keeps
 * nobody waiting for its timeout: after the first answer the rest have two seconds. That one does not know it is no
 * answer where another refuses, which may know it still: a restarted pod knows nothing.
 * @throws an error of a pod when none would, or none did and one refused
 */
export async function removeRateLimit(
  clients: readonly LimiterClient[],
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  const late = new AbortController();
  const called = AbortSignal.any([signal, late.signal]);
  const asked = clients.map(async (client) => client.remove(key, called));
  const all = Promise.allSettled(asked);
  await Promise.any(asked).catch(() => undefined);
  await within(all, OTHERS_MS);
  late.abort(new Error(`it said nothing for ${OTHERS_MS} ms after another node had`));
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
  throw last instanceof Error ? last : new Error(`there is no node to remove ${key} on`);
}
