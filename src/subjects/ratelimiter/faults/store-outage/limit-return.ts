/** Whether callers that had used their limits up after a fault get them back once enough time has passed. */
import type { NodeClient } from '../../http/node-client.ts';
import { type Got, gotOf } from '../../interfaces/caller-request.ts';
import type { Callers } from '../../interfaces/callers.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import { pauseFor } from '../../waiting.ts';

/**
 * When a caller tries again that is still rejected, in windows after the first try: a counter that weighs the last
 * window by its share may reject a first request by chance.
 */
const TRIES: readonly number[] = [0, 0.05, 0.1, 0.25];

export type LimitReturn =
  | { readonly state: 'Returned'; readonly callers: number }
  | {
      readonly state: 'NotReturned';
      readonly callers: number;
      readonly lockedOut: number;
      /** From the use of their limits to the last try. */
      readonly waitedMs: number;
    }
  /** Their requests were neither admitted nor rejected: so many of them. */
  | { readonly state: 'Unclear'; readonly callers: number; readonly unclear: number }
  | { readonly state: 'NotChecked'; readonly why: string };

/** The longest that {@link awaitReturn} takes; milliseconds. */
export function mostReturnMs({ windowMs }: RateLimit, withinMs: number, callerTimeoutMs: number): number {
  return withinMs + TRIES.reduce((sum, part) => sum + part * windowMs + callerTimeoutMs, 0);
}

export interface UsedUpCallers {
  readonly clients: readonly Pick<NodeClient, 'ask'>[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  readonly callerTimeoutMs: number;
  /** Each has used its limit up. */
  readonly keys: readonly string[];
  readonly limit: RateLimit;
  /** As `returnsWithin`. */
  readonly withinMs: number;
}

/**
 * Waits until each of these callers must have its limit back, and sends one request of each; those that are rejected
 * try again a few times. @throws the reason of `signal`
 */
export async function awaitReturn(
  { callers, callerTimeoutMs, clients, keys, limit, withinMs }: UsedUpCallers,
  signal: AbortSignal,
): Promise<LimitReturn> {
  const start = performance.now();
  let left = keys.map((key, i) => ({ key, i }));
  let last: readonly (Got | undefined)[] = [];
  for (const [attempt, part] of TRIES.entries()) {
    await pauseFor(attempt === 0 ? withinMs : part * limit.windowMs, signal);
    last = await Promise.all(
      left.map(async ({ key, i }) => {
        const asked = await clients[(i + attempt) % clients.length]?.ask(
          callers.requestOf(key),
          callerTimeoutMs,
          signal,
        );
        return asked && gotOf(asked, callers)?.got;
      }),
    );
    signal.throwIfAborted();
    left = left.filter((_, n) => last[n] !== 'Admitted');
    if (left.length === 0) return { state: 'Returned', callers: keys.length };
  }
  const lockedOut = last.filter((got) => got === 'Denied').length;
  if (lockedOut === 0) return { state: 'Unclear', callers: keys.length, unclear: left.length };
  const waitedMs = Math.round(performance.now() - start);
  return { state: 'NotReturned', callers: keys.length, lockedOut, waitedMs };
}
