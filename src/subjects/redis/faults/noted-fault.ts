/** A fault after which Redis cools down is noted before it is injected. */
import type { FaultReport } from '../../../demo/observed.ts';
import { TIMED_OUT, within } from '../../waiting.ts';
import type { NotedFault } from '../admission/redis-cooldown.ts';

/** How long a note may take, in milliseconds: a fault has 3 s to begin. */
const NOTE_MS = 1500;

/** Records the faults of a Redis. Both methods throw if a fault could not be recorded. */
export interface FaultNotes {
  /** Call before a fault is injected. Why it must not be injected; undefined: it may. */
  note(fault: NotedFault, signal: AbortSignal): Promise<string | undefined>;
  /** Removes a fault that was not injected after all. */
  takeBack(fault: NotedFault, signal: AbortSignal): Promise<void>;
}

/**
 * Notes the fault, then injects it. Takes the note back if nothing was injected.
 * @param inject throws only before anything was sent
 * @throws if the fault must not be injected, or cannot be noted; as `inject`
 */
export async function injectNoted(
  notes: FaultNotes,
  fault: NotedFault,
  inject: () => Promise<FaultReport>,
  signal: AbortSignal,
): Promise<FaultReport> {
  const noting = notes.note(fault, signal);
  const refusal = await within(noting, NOTE_MS, signal);
  if (refusal === TIMED_OUT) {
    // The note may still be written.
    void noting.then(async () => notes.takeBack(fault, signal)).catch(() => undefined);
    throw new Error(`the fault could not be noted within ${NOTE_MS} ms`);
  }
  if (refusal !== undefined) throw new Error(refusal);
  let mayHaveBegun = false;
  try {
    const report = await inject();
    // One that is over without a start was not injected. Without an end, whether it began may not be known.
    mayHaveBegun = report.startedAt !== undefined || report.endedAt === undefined;
    return report;
  } finally {
    // A note that stays makes the next run wait longer than necessary.
    if (!mayHaveBegun) await within(notes.takeBack(fault, signal), NOTE_MS).catch(() => undefined);
  }
}
