/**
 * What is kept outside the clone, so that every clone shares it: one folder a version and platform, each put
 * in place by a rename, so that a folder that is there is whole.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors.ts';
import { isThere } from '../run.ts';
import type { Progress } from './progress.ts';

/** How steps are told and stopped, and what they find in the environment. */
export interface StepOptions {
  /** Default: that of this process. HOME, XDG_CACHE_HOME and PATH count everywhere. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** This operating system and processor as Go names them: `linux-amd64`. */
export const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** `$XDG_CACHE_HOME/chaosdemo`, by default under ~/.cache; a relative XDG_CACHE_HOME is ignored, as its specification demands. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  const root = base?.startsWith('/') ? base : join(env['HOME'] || homedir(), '.cache');
  return join(root, 'chaosdemo');
}

/** A folder of the cache, `key` below its root; `fill` makes it where it is missing, in one process at a time. Throws LOCK_TIMEOUT. */
export async function ensureFolder(
  key: string,
  { env, progress, signal }: StepOptions,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheRoot(env), key);
  if (await isThere(folder)) return folder;
  const onWait = (): void => progress(`another run is making ${folder}: waiting for it`);
  const make = async (): Promise<void> => {
    if (await isThere(folder)) return;
    await removeLeftovers(dirname(folder), basename(folder));
    await placeAtomically(folder, fill);
  };
  await withLock(`${folder}.lock`, onWait, make, undefined, signal);
  return folder;
}

/** Lets `fill` write into a folder beside `target` and renames that to `target`, replacing what was there. */
export async function placeAtomically(
  target: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const unique = randomBytes(6).toString('hex');
  const partial = `${target}.partial-${unique}`;
  const replaced = `${target}.replaced-${unique}`;
  await mkdir(partial, { recursive: true });
  try {
    await fill(partial);
    // A folder that is not empty cannot be renamed over: it steps aside first.
    await rename(target, replaced).catch(() => {});
    await rename(partial, target);
  } finally {
    for (const folder of [partial, replaced]) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Removes what an earlier holder of the lock left in a folder when it was killed: of everything, or of the
 * one entry `name`, where others may be at work on the rest.
 */
export async function removeLeftovers(folder: string, name = ''): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  const leftovers = names.filter(
    (each) => each.startsWith(name) && /\.(partial|replaced|stale)-[0-9a-f]+$/.test(each),
  );
  await Promise.all(leftovers.map((each) => rm(join(folder, each), { recursive: true, force: true })));
}

/** Timing of a lock, in milliseconds; tests shorten it. */
export interface LockTiming {
  /** The holder renews the lock this often. */
  readonly renewMs: number;
  /** A lock not renewed for so long belongs to a process that died. */
  readonly staleMs: number;
  /** Longest wait for a holder that is alive. */
  readonly waitMs: number;
}

const defaultTiming: LockTiming = { renewMs: 2_000, staleMs: 20_000, waitMs: 45 * 60_000 };

/**
 * Runs `work` while holding the lock folder `path`. The holder renews its time stamp rather than writing its
 * pid: pids mean nothing between containers that share a cache. `onWait` is called once when somebody else
 * holds it. Throws LOCK_TIMEOUT.
 */
export async function withLock<T>(
  path: string,
  onWait: () => void,
  work: () => Promise<T>,
  { renewMs, staleMs, waitMs }: LockTiming = defaultTiming,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = performance.now() + waitMs;
  for (let waited = false; !(await acquire(path, staleMs)); waited = true) {
    if (!waited) onWait();
    if (performance.now() > deadline) {
      const minutes = Math.round(waitMs / 60_000);
      throw new LocalError('LOCK_TIMEOUT', `${path} was held by another run for ${minutes} min`);
    }
    await sleep(Math.min(500, staleMs / 4), undefined, signal ? { signal } : {});
  }
  const renewal = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), renewMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await rm(path, { recursive: true, force: true });
  }
}

async function acquire(path: string, staleMs: number): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch {
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > staleMs) {
      // Renamed first, so that of several who find it stale one takes it away.
      const stale = `${path}.stale-${randomBytes(6).toString('hex')}`;
      await rename(path, stale).catch(() => {});
      await rm(stale, { recursive: true, force: true });
    }
    return false;
  }
}
