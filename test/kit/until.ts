/** Waiting for a condition instead of sleeping for luck. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long, and what for. */
export interface UntilOptions {
  /** What the error calls it: "the pod to be Ready". Default: the text of the probe. */
  readonly what?: string;
  /** Default 5 min: a guard against waiting for ever, not a measure. */
  readonly deadlineMs?: number;
  /** Default 50 ms. */
  readonly everyMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `probe` until it returns something truthy, and returns that. A throwing
 * probe counts as "not yet"; the error at the deadline repeats what it threw last.
 * @throws at the deadline, and when `signal` aborts
 *
 * @example
 * const pod = await until(async () => (await getPod()).status.podIP, { what: 'the pod to have an address' });
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  { what = probe.toString(), deadlineMs = 300_000, everyMs = 50, signal }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  do {
    try {
      const value = await probe();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      last = value;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs, undefined, { signal });
  } while (performance.now() < deadline);
  throw new Error(`Waited ${deadlineMs} ms for ${what}; last seen: ${String(last)}`, { cause: last });
}
