/**
 * Fills the cache that all clones share: each folder is put in place by a rename, so that an existing folder is
 * complete.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheRoot, pathExists, type StepOptions } from '@chaosdemo/testbed';
import { withLock } from './lock.ts';

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
