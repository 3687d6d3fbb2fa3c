/**
 * A lock that one process holds at a time, of all that share a folder, those in other containers included: a folder
 * with one empty file in it, whose name says who holds it. Each change of hands is one rename, of which the file
 * system lets one succeed.
 */
import { randomBytes } from 'node:crypto';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from '../errors.ts';

/** Timing of a lock, in milliseconds; tests shorten it. */
export interface LockTiming {
  /** The holder renews the lock this often. */
  readonly renewMs: number;
  /** A lock that was looked at for so long and was not renewed belongs to a process that died, where nothing better is known of that. */
  readonly staleMs: number;
  /** Longest wait for a holder that is alive. */
  readonly waitMs: number;
}

const defaultTiming: LockTiming = { renewMs: 2_000, staleMs: 60_000, waitMs: 45 * 60_000 };

/**
 * Runs `work` while holding the lock folder `path`. `onWait` is called once when somebody else holds it. The lock of
 * a process that died is taken over: at once where that process can be looked up, and otherwise, as with that of
 * another container, when it is not renewed any more. Throws LOCK_TIMEOUT, and the reason of `signal`.
 */
export async function withLock<T>(
  path: string,
  onWait: () => void,
  work: () => Promise<T>,
  { renewMs, staleMs, waitMs }: LockTiming = defaultTiming,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const me = await nameOfThisHolder();
  const lookMs = Math.min(500, staleMs / 4);
  const renewals = new Renewals(staleMs / lookMs);
  const deadline = performance.now() + waitMs;
  for (let waited = false; !(await acquire(path, me, renewals)); waited = true) {
    if (!waited) onWait();
    if (performance.now() > deadline) {
      const minutes = Math.round(waitMs / 60_000);
      throw new LocalError('LOCK_TIMEOUT', `${path} was held by another run for ${minutes} min`);
    }
    await sleep(lookMs, undefined, signal ? { signal } : {});
  }
  const renewal = setInterval(() => void renew(path), renewMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await release(path, me);
  }
}

/** What one who waits sees of the renewals of a holder. */
class Renewals {
  readonly #most: number;
  #seen = '';
  #looks = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Whether so many looks in a row have seen the same. Looks count rather than the time between two clocks: where
   * the machine is too busy to let the holder renew, it lets nobody look either.
   */
  haveEnded(seen: string): boolean {
    this.#looks = seen === this.#seen ? this.#looks + 1 : 0;
    this.#seen = seen;
    return this.#looks >= this.#most;
  }
}

async function acquire(path: string, me: string, renewals: Renewals): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return await place(path, me);
  const [holder] = await readdir(path).catch((): string[] => []);
  // Over a network a rename may be done and told as failed, and this process lives.
  if (holder === me) return true;
  const lives = holder === undefined ? undefined : await isAlive(holder);
  if (lives === true) return false;
  if (lives === undefined && !renewals.haveEnded(`${holder} ${found.mtimeMs}`)) return false;
  if (holder === undefined) return await place(path, me);
  // Of several who find it abandoned one takes it over: nobody finds the name of this holder again.
  const taken = await rename(join(path, holder), join(path, me)).then(
    () => true,
    () => false,
  );
  if (taken) await renew(path);
  return taken;
}

/** Puts a lock where there is none, or one without a holder. */
async function place(path: string, me: string): Promise<boolean> {
  const partial = `${path}.partial-${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(partial);
    await writeFile(join(partial, me), '');
    await rename(partial, path);
    return true;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another was first; or the one who holds the lock has tidied up, and this folder with the rest.
    if (['EEXIST', 'ENOTEMPTY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function renew(path: string): Promise<void> {
  await utimes(path, new Date(), new Date()).catch(() => {});
}

/** Leaves it alone where another has taken it over. */
async function release(path: string, me: string): Promise<void> {
  const mine = await unlink(join(path, me)).then(
    () => true,
    () => false,
  );
  if (mine) await rmdir(path).catch(() => {});
}

/** `<place>.<pid>.<start>.<unique>`: where pids mean the same, and which process there. */
const HOLDER = /^([\w-]+)\.(\d+)\.(\d+)\.[0-9a-f]+$/;

async function nameOfThisHolder(): Promise<string> {
  const [place = 'elsewhere', start = '0'] = await Promise.all([placeOfPids(), startOf(process.pid)]);
  return `${place}.${process.pid}.${start}.${randomBytes(6).toString('hex')}`;
}

/** Whether the process of a holder lives; undefined: that cannot be known here. */
async function isAlive(holder: string): Promise<boolean | undefined> {
  const [, place, pid, start] = HOLDER.exec(holder) ?? [];
  if (place === undefined || place !== (await placeOfPids())) return undefined;
  const now = await startOf(Number(pid));
  // A pid is given to another process in time.
  if (now !== undefined) return now === start;
  try {
    // It is there, and hidden from this user.
    process.kill(Number(pid), 0);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? false : undefined;
  }
}

/** The boot of the kernel and the namespace of pids; undefined where the system has no such thing. */
async function placeOfPids(): Promise<string | undefined> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const namespace = await readlink('/proc/self/ns/pid');
    return `${boot}-${namespace.replace(/\D/g, '')}`;
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the boot; '' once it has ended and is not reaped; undefined: it is not seen. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name of the program, in brackets, may hold anything.
  const [state, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' || state === 'X' ? '' : fields[18];
}
