/**
 * The cache outside the clone, shared by all clones: one folder per version and platform, each put in place by a
 * rename, so that an existing folder is complete.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathExists } from '../run.ts';
import { withLock } from './lock.ts';
import type { Progress } from './progress.ts';

/** How steps report progress and are stopped, and their environment. */
export interface StepOptions {
  /** Default: that of this process. HOME, XDG_CACHE_HOME and PATH apply everywhere. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** This operating system and processor as Go names them: `linux-amd64`. */
export const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

/**
 * `$XDG_CACHE_HOME/chaosdemo`, by default under ~/.cache; by its specification, a relative XDG_CACHE_HOME is ignored.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  const root = base?.startsWith('/') ? base : join(env['HOME'] || userInfo().homedir, '.cache');
  return join(root, 'chaosdemo');
}

/** A folder of the cache, `key` below its root; if missing, one process creates it by `fill`. Throws LOCK_TIMEOUT. */
export async function ensureFolder(
  key: string,
  { env, progress, signal }: StepOptions,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheRoot(env), key);
  if (await pathExists(folder)) return folder;
  const onWait = (): void => progress(`another run is making ${folder}: waiting for it`);
  const make = async (): Promise<void> => {
    if (await pathExists(folder)) return;
    await removeLeftovers(dirname(folder), basename(folder));
    await placeAtomically(folder, fill);
  };
  await withLock(`${folder}.lock`, onWait, make, undefined, signal);
  return folder;
}

/** Lets `fill` write into a folder next to `target` and renames that to `target`, replacing an existing one. */
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
    // A non-empty folder cannot be replaced by a rename: move it first.
    await rename(target, replaced).catch(() => {});
    await rename(partial, target);
  } finally {
    for (const folder of [partial, replaced]) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Removes what an earlier holder of the lock left in a folder when it was killed: everything, or only the entry `name`,
 * if others may be using the rest.
 */
export async function removeLeftovers(folder: string, name = ''): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  const leftovers = names.filter(
    (each) => each.startsWith(name) && /\.(partial|replaced)-[0-9a-f]+$/.test(each),
  );
  await Promise.all(leftovers.map((each) => rm(join(folder, each), { recursive: true, force: true })));
}
