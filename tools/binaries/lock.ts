/** A lock for one process at a time, of all processes that share a folder, also in other containers. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { ToolError } from '../errors.ts';

/** Timing of a lock, in milliseconds; tests shorten it. */
export interface LockTiming {
  /** A lock that was not renewed for this long belongs to a process that died. At least 2000. */
  readonly staleMs: number;
  /** Longest wait for a live holder. */
  readonly waitMs: number;
}

const defaultTiming: LockTiming = { staleMs: 60_000, waitMs: 45 * 60_000 };
const POLL_MS = 500;

/**
 * Runs `work` while holding the lock folder `path`. `onWait` is called once when another process holds it. The lock of
 * a process that was killed is taken over once it is stale. Throws LOCK_TIMEOUT, and the reason of `signal`.
 */
export async function withLock<T>(
  path: string,
  onWait: () => void,
  work: () => Promise<T>,
  { staleMs, waitMs }: LockTiming = defaultTiming,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = performance.now() + waitMs;
  let release = await take(path, staleMs);
  if (!release) onWait();
  while (!release) {
    if (performance.now() > deadline) {
      const minutes = Math.round(waitMs / 60_000);
      throw new ToolError('LOCK_TIMEOUT', `${path} was held by another run for ${minutes} min`);
    }
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
    release = await take(path, staleMs);
  }
  try {
    return await work();
  } finally {
    // Another process may have taken the lock over; then it is not ours to release.
    await release().catch(() => {});
  }
}

/** Returns a function that releases the lock; undefined if another process holds it. */
async function take(path: string, stale: number): Promise<(() => Promise<void>) | undefined> {
  try {
    // Results under a lock are put in place by a rename, so a lost lock does no harm.
    return await lock(path, { lockfilePath: path, realpath: false, stale, onCompromised: () => {} });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}
