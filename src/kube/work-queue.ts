/**
 * The queue between "something changed" and "reconcile it": each key is in it at
 * most once, is never processed twice at the same time, and a key added while it
 * is processed is processed once more afterwards, so that no change is lost.
 *
 * Keys of one namespace wait for each other and hardly for those of others: the
 * namespaces take turns. What is urgent has a lane of its own, and workers that
 * nothing else occupies.
 */
import { FairQueue } from '../fair/fair-queue.ts';
import { type BackoffOptions, backoffDelay, longestTimerMs, systemTimers, type Timers } from './wait.ts';

/** So many urgent keys in a row are taken while others wait; then it is the turn of one of those. */
const URGENT_IN_A_ROW = 3;

/** What a queue tells of its keys, for metrics; times in milliseconds. */
export interface QueueObserver {
  /** A key waits now that did not. */
  added(): void;
  /** A worker has taken a key that had waited for so long. */
  taken(waitedMs: number): void;
  /** A worker is done with a key after so long. */
  done(workedMs: number): void;
  /** A key is added again after a failure. */
  retried(): void;
}

/** How a queue is set up; all optional. */
export interface WorkQueueOptions {
  /** Delays of `addAfterFailure`; default 0.25 s, doubling to 60 s. */
  backoff?: BackoffOptions | undefined;
  /** Default: the system's. */
  timers?: Timers | undefined;
  /** Whether a key goes before others, asked whenever it is added. Default: none does. */
  isUrgent?: ((key: string) => boolean) | undefined;
  /** Keys that are not urgent and are processed at once; workers beyond wait for urgent ones. Default: any number. */
  mostOrdinary?: number | undefined;
  observer?: QueueObserver | undefined;
}

/** A queue of keys for any number of concurrent workers. */
export class WorkQueue {
  readonly #backoff: BackoffOptions;
  readonly #timers: Timers;
  readonly #isUrgent: (key: string) => boolean;
  readonly #mostOrdinary: number;
  readonly #observer: QueueObserver | undefined;
  /** Waiting to be processed, by namespace; never one that is being processed. */
  readonly #urgent = new FairQueue<string>();
  readonly #ordinary = new FairQueue<string>();
  /** When each of those began to wait. */
  readonly #waitingSince = new Map<string, number>();
  readonly #processing = new Map<string, { readonly urgent: boolean; readonly since: number }>();
  /** Added again while being processed, and since when. */
  readonly #dirty = new Map<string, number>();
  readonly #delayed = new Map<string, { dueAt: number; cancel: AbortController }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idle = Promise.withResolvers<void>();
  #ordinaryAtWork = 0;
  #urgentInARow = 0;
  #shutDown = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#backoff = options.backoff ?? { baseMs: 250, maxMs: 60_000 };
    this.#timers = options.timers ?? systemTimers;
    this.#isUrgent = options.isUrgent ?? (() => false);
    this.#mostOrdinary = options.mostOrdinary ?? Infinity;
    this.#observer = options.observer;
  }

  /** Keys that wait to be taken now, delayed ones not counted. */
  get depth(): number {
    return this.#waitingSince.size + this.#dirty.size;
  }

  /** Keys taken and not done. */
  get processing(): readonly string[] {
    return [...this.#processing.keys()];
  }

  /** Asks for `key` to be processed as soon as a worker is free. After `shutDown` it does nothing. */
  add(key: string): void {
    if (this.#shutDown) return;
    const now = this.#timers.monotonic();
    if (!this.#processing.has(key)) {
      if (!this.#waitingSince.has(key)) this.#observer?.added();
      this.#await(key, now);
      return;
    }
    if (this.#dirty.has(key)) return;
    this.#observer?.added();
    this.#dirty.set(key, now);
  }

  /** Adds `key` in `ms` milliseconds; of several delays of one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#shutDown) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const delayMs = Math.min(ms, longestTimerMs);
    const dueAt = this.#timers.monotonic() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined) {
      if (pending.dueAt <= dueAt) return;
      pending.cancel.abort();
    }
    const cancel = new AbortController();
    this.#delayed.set(key, { dueAt, cancel });
    void this.#timers.sleep(delayMs, cancel.signal).then(
      () => {
        if (cancel.signal.aborted) return;
        this.#delayed.delete(key);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** Adds `key` after a delay that grows with each failure in a row; returns the delay in milliseconds. */
  addAfterFailure(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = backoffDelay(failures, this.#backoff);
    this.#observer?.retried();
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key works: its next failure starts from the shortest delay again, and no delay of before adds it. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#delayed.get(key)?.cancel.abort();
    this.#delayed.delete(key);
  }

  /**
   * Takes the next key, waiting for one if need be. Whoever takes a key must give
   * it back with `done`. Undefined means shut down: take no more.
   */
  take(): Promise<string | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    const taken = new Promise<string | undefined>((resolve) => this.#takers.push(resolve));
    this.#handOut();
    return taken;
  }

  /** Ends the processing of a key that was taken; one that was added meanwhile waits again. */
  done(key: string): void {
    const work = this.#processing.get(key);
    if (!work) throw new Error(`done("${key}") without having been taken`);
    this.#processing.delete(key);
    if (!work.urgent) this.#ordinaryAtWork -= 1;
    this.#observer?.done(this.#timers.monotonic() - work.since);
    const since = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (since === undefined) this.#handOut();
    else this.#await(key, since);
    if (this.#shutDown && this.#processing.size === 0) this.#idle.resolve();
  }

  /**
   * Hands out nothing more, forgets what waits (whoever starts next lists the
   * world anew), and resolves once every key that was taken is done.
   */
  shutDown(): Promise<void> {
    this.#shutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel.abort();
    this.#delayed.clear();
    this.#urgent.clear();
    this.#ordinary.clear();
    this.#waitingSince.clear();
    this.#dirty.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  /** Puts a key into its lane; one that waits and has become urgent leaves the other. */
  #await(key: string, since: number): void {
    const namespace = namespaceOf(key);
    if (!this.#waitingSince.has(key)) this.#waitingSince.set(key, since);
    if (!this.#isUrgent(key)) {
      if (!this.#urgent.has(namespace, key)) this.#ordinary.push(namespace, key);
    } else {
      this.#ordinary.delete(namespace, key);
      this.#urgent.push(namespace, key);
    }
    this.#handOut();
  }

  /** Gives keys to workers that wait, as long as there are both. */
  #handOut(): void {
    while (this.#takers.length > 0) {
      const urgent = this.#urgentIsNext();
      const key = urgent ? this.#urgent.shift() : this.#nextOrdinary();
      if (key === undefined) return;
      const now = this.#timers.monotonic();
      this.#observer?.taken(now - (this.#waitingSince.get(key) ?? now));
      this.#waitingSince.delete(key);
      this.#processing.set(key, { urgent, since: now });
      this.#urgentInARow = urgent ? this.#urgentInARow + 1 : 0;
      this.#takers.shift()?.(key);
    }
  }

  /** Urgent keys go first, yet not so that nobody else ever gets a turn: they may be many. */
  #urgentIsNext(): boolean {
    if (this.#urgent.size === 0) return false;
    return this.#urgentInARow < URGENT_IN_A_ROW || !this.#mayTakeOrdinary || this.#ordinary.size === 0;
  }

  get #mayTakeOrdinary(): boolean {
    return this.#ordinaryAtWork < this.#mostOrdinary;
  }

  #nextOrdinary(): string | undefined {
    if (!this.#mayTakeOrdinary) return undefined;
    const key = this.#ordinary.shift();
    if (key !== undefined) this.#ordinaryAtWork += 1;
    return key;
  }
}

/** Of a key `namespace/name`; '' for an object without one. */
function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}
