/** Looks at a rate limiter again and again; how it is looked at is of its interface. */
import type { HealthSnapshot } from '../../../demo/health.ts';
import { pauseFor } from '../waiting.ts';

export interface PollOptions {
  readonly intervalMs: number;
  /** What a look may take. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One look, but for when it was; what fails is an issue of it. @throws only the reason of `signal` */
export type Look = (signal: AbortSignal) => Promise<Omit<HealthSnapshot, 'lastUpdated' | 'validUntil'>>;

/** What a look may be late by before the last one is called stale: the machine has other things to do. */
const LATE_MS = 1000;

/** Looks at once and then every `intervalMs`, until `signal` aborts. */
export async function pollHealth(
  { intervalMs, now, timeoutMs }: PollOptions,
  look: Look,
  tell: (snapshot: HealthSnapshot) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const start = performance.now();
      const seen = await look(signal);
      const at = now();
      tell({ ...seen, lastUpdated: at, validUntil: at + intervalMs + timeoutMs + LATE_MS });
      await pauseFor(intervalMs - (performance.now() - start), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
