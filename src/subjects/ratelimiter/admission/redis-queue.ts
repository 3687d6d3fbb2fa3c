/**
 * Who gets a Redis next: first come, first served. What the queue knows dies with
 * the process, so those that are there when a connector begins, after a change of
 * leader say, stand in the order in which they were created.
 */
import type { Clock } from '../../../demo/clock.ts';

/** Those that come so long after the beginning, in milliseconds, count as there from the beginning. */
const BEGINNING_MS = 30_000;

/** Who has not asked for so long, in milliseconds, waits no more; each asks every ten seconds. */
const ASKED_WITHIN_MS = 35_000;

/** An object that waits. */
export interface Waiter {
  readonly uid: string;
  /** RFC 3339, in whole seconds. */
  readonly creationTimestamp: string;
}

/** Place in a queue, from 1, and how many stand in it. */
export interface Turn {
  readonly place: number;
  readonly of: number;
}

interface Entry extends Waiter {
  readonly lock: string;
  /** Milliseconds by the monotonic clock; 0 for those that were there from the beginning. */
  readonly since: number;
  askedAt: number;
}

export class RedisQueue {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #begunAt: number;
  readonly #entries = new Map<string, Entry>();
  readonly #holders = new Map<string, string>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#begunAt = clock.monotonic();
  }

  /** Takes a place for `lock`, or keeps the one that it has. A place for another lock is given up. */
  ask(lock: string, waiter: Waiter): Turn {
    const now = this.#clock.monotonic();
    const known = this.#entries.get(waiter.uid);
    if (known?.lock === lock && now - known.askedAt <= ASKED_WITHIN_MS) known.askedAt = now;
    else {
      const since = now - this.#begunAt < BEGINNING_MS ? 0 : now;
      this.#entries.set(waiter.uid, { ...waiter, lock, since, askedAt: now });
    }
    const queue = [...this.#entries.values()]
      .filter((entry) => entry.lock === lock && now - entry.askedAt <= ASKED_WITHIN_MS)
      .sort(inOrder);
    return { place: queue.findIndex(({ uid }) => uid === waiter.uid) + 1, of: queue.length };
  }

  /** Gives its place up. */
  leave(uid: string): void {
    const lock = this.#entries.get(uid)?.lock;
    this.#entries.delete(uid);
    if (lock !== undefined && !this.#isAwaited(lock)) this.#holders.delete(lock);
  }

  /** Who held `lock` when somebody last looked; undefined where nobody has. */
  holder(lock: string): string | undefined {
    return this.#holders.get(lock);
  }

  /** Notes who holds `lock`, for those that wait for it. */
  heldBy(lock: string, holder: string): void {
    if (this.#isAwaited(lock)) this.#holders.set(lock, holder);
  }

  #isAwaited(lock: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.lock === lock);
  }
}

function inOrder(a: Entry, b: Entry): number {
  if (a.since !== b.since) return a.since - b.since;
  const created = Date.parse(a.creationTimestamp) - Date.parse(b.creationTimestamp);
  return created === 0 ? (a.uid < b.uid ? -1 : 1) : created;
}
