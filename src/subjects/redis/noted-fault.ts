/** A fault after which Redis cools down is noted before it is injected. */
import { TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
import type { FaultReport } from '../../engine/observed.ts';

/** How long a note may take, in milliseconds: a fault has 3 s to begin. */
const NOTE_MS = 1500;

/** When a fault is to be active, in milliseconds since the epoch. */
export interface FaultSpan {
  readonly from: number;
  readonly until: number;
}

/**
 * Records a fault of a Redis, before it is injected.
 * @returns takes the note back: the fault was not injected after all
 * @throws if it could not be recorded
 */
export type NoteFault = (
  fault: FaultSpan,
  signal: AbortSignal,
) => Promise<(signal: AbortSignal) => Promise<void>>;

/**
 * Notes the fault, then injects it. Takes the note back if nothing was injected.
 * @param inject throws only before anything was sent
 * @throws if the fault cannot be noted; as `inject`
 */
export async function injectNoted(
  note: NoteFault,
  fault: FaultSpan,
  inject: () => Promise<FaultReport>,
  signal: AbortSignal,
): Promise<FaultReport> {
  const noting = note(fault, signal);
  const takeBack = await within(noting, NOTE_MS, signal);
  if (takeBack === TIMED_OUT) {
    // The note may still be written.
    void noting.then(async (late) => late(signal)).catch(() => undefined);
    throw new Error(`the fault could not be noted within ${NOTE_MS} ms`);
  }
  let mayHaveBegun = false;
  try {
    const report = await inject();
    // One that is over without a start was not injected. Without an end, whether it began may not be known.
    mayHaveBegun = report.startedAt !== undefined || report.endedAt === undefined;
    return report;
  } finally {
    // A note that stays makes the next run wait longer than necessary.
    if (!mayHaveBegun) await within(takeBack(signal), NOTE_MS).catch(() => undefined);
  }
}
