/** A fault that pauses Redis is noted before it is injected, so that Redis rests after it. */
import type { FaultReport } from '../../../demo/observed.ts';
import type { Pause } from '../admission/redis-rest.ts';
import { TIMED_OUT, within } from '../waiting.ts';

/** How long a note may take, in milliseconds: a fault has 3 s to begin. */
const NOTE_MS = 1500;

/** What is noted of the pauses of a Redis. Both throw where it could not be noted. */
export interface PauseNotes {
  /** Before a pause is sent. Why it must not be sent; undefined: it may. */
  note(pause: Pause, signal: AbortSignal): Promise<string | undefined>;
  /** One that was not sent after all. */
  takeBack(pause: Pause, signal: AbortSignal): Promise<void>;
}

/** What is injected. */
interface Injection {
  /** Throws only before anything was sent. */
  readonly inject: () => Promise<FaultReport>;
  /** Whether a pause of this process may be on. */
  readonly mayBeOn: () => boolean;
}

/**
 * Injects between the note of the pause and, where nothing was sent, the end of that.
 * @throws where the pause must not be sent, or cannot be noted
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
    // It may be noted yet.
    void noting.then(async () => pauses.takeBack(pause, signal)).catch(() => undefined);
    throw new Error(`the pause could not be noted within ${NOTE_MS} ms`);
  }
  if (refusal !== undefined) throw new Error(refusal);
  let sent = true;
  try {
    const report = await inject();
    // Or refused, or held back for another reason: then none has begun, nor may one be on.
    sent = report.startedAt !== undefined || mayBeOn();
    return report;
  } catch (error) {
    sent = false;
    throw error;
  } finally {
    // What cannot be taken back makes the next run wait longer than it need.
    if (!sent) await within(pauses.takeBack(pause, signal), NOTE_MS).catch(() => undefined);
  }
}
