/**
 * The cache of control-plane binaries, outside the clone so that every clone
 * shares it: one folder a version and platform, each put in place by a rename,
 * so that a folder that is there is whole.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors.ts';
import { compareVersions, type PinnedVersions } from './versions.ts';

/** Operating system and processor as Go names them. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** The platform of this process. */
export function currentPlatform(): Platform {
  return { os: process.platform, arch: process.arch === 'x64' ? 'amd64' : process.arch };
}

/** `$XDG_CACHE_HOME/chaosdemo`, by default under ~/.cache; a relative XDG_CACHE_HOME is ignored, as its specification demands. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'];
  const root = base?.startsWith('/') ? base : join(env['HOME'] || homedir(), '.cache');
  return join(root, 'chaosdemo');
}

/** Where the control plane's binaries are kept. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheRoot(env), 'control-plane');
}

/** Name of the folder for binaries built from the pins. */
export function builtName(versions: PinnedVersions, { os, arch }: Platform): string {
  return `${versions.kubernetes}-etcd-${versions.etcd}-${os}-${arch}`;
}

/** Name of the folder for a downloaded archive; its etcd is the archive's choice. */
export function downloadedName(kubernetes: string, { os, arch }: Platform): string {
  return `${kubernetes}-envtest-${os}-${arch}`;
}

/** Folders of the cache that may serve, best first: the exact pins, then downloads of the same minor, newest first. */
export async function cachedFolders(
  cache: string,
  versions: PinnedVersions,
  platform: Platform,
): Promise<string[]> {
  const names = await readdir(cache).catch((): string[] => []);
  const minor = versions.kubernetes.split('.').slice(0, 2).join('.');
  const suffix = downloadedName('', platform);
  const downloads = names
    .filter((name) => name.startsWith(`${minor}.`) && name.endsWith(suffix))
    .sort((a, b) => compareVersions(b.slice(0, -suffix.length), a.slice(0, -suffix.length)));
  const built = builtName(versions, platform);
  return [...(names.includes(built) ? [built] : []), ...downloads].map((name) => join(cache, name));
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
    const stepsAside = await rename(target, replaced).then(
      () => true,
      () => false,
    );
    await rename(partial, target);
    if (stepsAside) await rm(replaced, { recursive: true, force: true });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * What an earlier holder of the lock left in a folder when it was killed: of everything, or of
 * the one entry `name`, where others may be at work on the rest.
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
 * Runs `work` while holding the lock folder `path`. The holder renews its time
 * stamp rather than writing its pid: pids mean nothing between containers that
 * share a cache. `onWait` is called once when somebody else holds it.
 * Throws LOCK_TIMEOUT.
 */
export async function withLock<T>(
  path: string,
  onWait: () => void,
  work: () => Promise<T>,
  { renewMs, staleMs, waitMs }: LockTiming = defaultTiming,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + waitMs;
  for (let waited = false; !(await acquire(path, staleMs)); waited = true) {
    if (!waited) onWait();
    if (Date.now() > deadline) {
      throw new LocalError(
        'LOCK_TIMEOUT',
        `${path} was held by another run for ${Math.round(waitMs / 60_000)} min`,
      );
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
