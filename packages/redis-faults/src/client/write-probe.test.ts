import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answered } from './clock-offset.ts';
import { type HeldWrite, holdFor, verifyPause } from './write-probe.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Reads are answered at once. */
const redis = { read: async () => 1 };

/** A write that is answered after so many milliseconds. */
function writeTakenAfter(ms: number): HeldWrite {
  const taken = new Promise<Answered>((resolve) => {
    setTimeout(() => resolve({ at: Date.now(), redisAt: Date.now() }), ms);
  });
  return { sentAt: Date.now(), taken };
}

async function felt(takenAfterMs: number, holdMs: number) {
  const writes = [{ server: { name: 'redis-0' }, write: writeTakenAfter(takenAfterMs) }];
  const finding = verifyPause(redis, writes, holdMs, Date.now, AbortSignal.any([]));
  await vi.advanceTimersByTimeAsync(holdMs + 100);
  return await finding;
}

describe('a probe write', () => {
  it('has to be held back for 150 ms', () => {
    expect([holdFor(0), holdFor(1), holdFor(30)]).toEqual([150, 150, 150]);
  });

  it('has to be held back five times as long as the slowest write without a fault', () => {
    expect([holdFor(31), holdFor(400)]).toEqual([155, 2000]);
  });

  it('a probe write held to the end proves a pause, if reads are answered', async () => {
    const finding = await felt(10_000, 150);
    expect(finding).toMatchObject({ kind: 'held', slowestReadMs: 1 });
    if (finding.kind !== 'held') return;
    expect(finding.heldMs).toBeGreaterThanOrEqual(150);
    expect(finding.reads).toBeGreaterThan(1);
  });
});
