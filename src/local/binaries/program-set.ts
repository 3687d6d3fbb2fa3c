/** Programs that are built from pinned Go modules once a machine, and kept outside the clone. */
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildModules } from './build.ts';
import { cacheRoot, currentPlatform, placeAtomically, removeLeftovers, withLock } from './cache.ts';
import type { ProgramSet } from './go-modules.ts';
import type { Progress } from './progress.ts';

/** What ensurePrograms takes besides the set. */
export interface EnsureProgramsOptions {
  /** Default: that of this process. XDG_CACHE_HOME, HOME and PATH count. */
  readonly env?: NodeJS.ProcessEnv;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/**
 * The folder with the programs of a set: at once when cached, else built, which takes minutes.
 * Throws GO_MISSING, GO_TOO_OLD, BUILD_FAILED or LOCK_TIMEOUT.
 */
export async function ensurePrograms(
  { name, key, modules, takes }: ProgramSet,
  options: EnsureProgramsOptions,
): Promise<string> {
  const { env = process.env, progress, signal } = options;
  const { os, arch } = currentPlatform();
  return await ensureFolder(`${key}-${os}-${arch}`, options, async (partial) => {
    progress(`building ${name}: ${takes}, once a machine`);
    await buildModules(partial, modules, env, progress, signal);
  });
}

/** A folder of the cache; `fill` makes it where it is missing, in one process at a time. Throws LOCK_TIMEOUT. */
export async function ensureFolder(
  key: string,
  { env = process.env, progress, signal }: EnsureProgramsOptions,
  fill: (partial: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheRoot(env), 'programs', key);
  if (await exists(folder)) return folder;
  const onWait = (): void => progress(`another run is making ${folder}: waiting for it`);
  const make = async (): Promise<void> => {
    if (await exists(folder)) return;
    await removeLeftovers(dirname(folder), basename(folder));
    await placeAtomically(folder, fill);
  };
  await withLock(`${folder}.lock`, onWait, make, undefined, signal);
  return folder;
}

async function exists(folder: string): Promise<boolean> {
  return await access(folder).then(
    () => true,
    () => false,
  );
}
