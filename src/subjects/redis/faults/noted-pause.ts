/** A fault that pauses Redis is recorded before it is injected, so that Redis cools down after it. */
import type { FaultReport } from '../../../demo/observed.ts';
import { TIMED_OUT, within } from '../../waiting.ts';
import type { Pause } from '../admission/redis-cooldown.ts';

/** How long a note may take, in milliseconds: a fault has 3 s to begin. */
const NOTE_MS = 1500;

/** Records the pauses of a Redis. Both methods throw if a pause could not be recorded. */
export interface PauseNotes {
  /** Call before a pause is sent. Why it must not be sent; undefined: it may. */
  note(pause: Pause, signal: AbortSignal): Promise<string | undefined>;
  /** Removes a pause that was not sent after all. */
  takeBack(pause: Pause, signal: AbortSignal): Promise<void>;
}

interface Injection {
  /** Throws only before anything was sent. */
  readonly inject: () => Promise<FaultReport>;
  /** Whether a pause of this process may be active. */
  readonly mayBeOn: () => boolean;
}

/**
 * Records the pause, then injects; if nothing was sent, removes the record.
 * @throws if the pause must not be sent, or cannot be recorded
 */
export async function injectNoted(
  pauses: PauseNotes,
  pause: Pause,
  { inject, mayBeOn }: Injection,
  signal: AbortSignal,
): Promise<FaultReport> {
  const noting = pauses.note(pause, signal);
  const refusal = await within(noting, NOTE_MS, signal);
  if (refusal === TIMED_OUT) {
    // The note may still be written.
    void noting.then(async () => pauses.takeBack(pause, signal)).catch(() => undefined);
    throw new Error(`the pause could not be noted within ${NOTE_MS} ms`);
  }
  if (refusal !== undefined) throw new Error(refusal);
  let sent = true;
  try {
    const report = await inject();
    // Refused, or held back for another reason, without an active pause: then none has begun.
    sent = report.startedAt !== undefined || mayBeOn();
    return report;
  } catch (error) {
    sent = false;
    throw error;
  } finally {
    // A note that stays makes the next run wait longer than necessary.
    if (!sent) await within(pauses.takeBack(pause, signal), NOTE_MS).catch(() => undefined);
  }
}
