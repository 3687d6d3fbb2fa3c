/**
 * The queue between "something changed" and "reconcile it": each key is in it at
 * most once, is never processed twice at the same time, and a key added while it
 * is processed is processed once more afterwards, so that no change is lost.
 */
import { type BackoffOptions, backoffDelay, longestTimerMs, systemTimers, type Timers } from './wait.ts';

/** A queue of keys for any number of concurrent workers. */
export class WorkQueue {
  readonly #backoff: BackoffOptions;
  readonly #timers: Timers;
  /** Waiting to be processed, in order of arrival; never one that is being processed. */
  readonly #ready = new Set<string>();
  readonly #processing = new Set<string>();
  /** Added again while being processed. */
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, { dueAt: number; cancel: AbortController }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idle = Promise.withResolvers<void>();
  #shutDown = false;

  /** @param backoff delays of `addAfterFailure`; default 0.25 s, doubling to 60 s. */
  constructor(backoff: BackoffOptions = { baseMs: 250, maxMs: 60_000 }, timers: Timers = systemTimers) {
    this.#backoff = backoff;
    this.#timers = timers;
  }

  /** Keys that wait to be taken now, delayed ones not counted. */
  get depth(): number {
    return this.#ready.size + this.#dirty.size;
  }

  /** Keys taken and not done. */
  get processing(): readonly string[] {
    return [...this.#processing];
  }

  /** Asks for `key` to be processed as soon as a worker is free. After `shutDown` it does nothing. */
  add(key: string): void {
    if (this.#shutDown) return;
    if (this.#processing.has(key)) {
      this.#dirty.add(key);
      return;
    }
    const taker = this.#ready.has(key) ? undefined : this.#takers.shift();
    if (taker === undefined) {
      this.#ready.add(key);
    } else {
      this.#processing.add(key);
      taker(key);
    }
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
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key works: its next failure starts from the shortest delay again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * Takes the next key, waiting for one if need be. Whoever takes a key must give
   * it back with `done`. Undefined means shut down: take no more.
   */
  take(): Promise<string | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    const [key] = this.#ready;
    if (key === undefined) return new Promise((resolve) => this.#takers.push(resolve));
    this.#ready.delete(key);
    this.#processing.add(key);
    return Promise.resolve(key);
  }

  /** Ends the processing of a key that was taken; if it was added meanwhile, it is next in line. */
  done(key: string): void {
    if (!this.#processing.delete(key)) throw new Error(`done("${key}") without having been taken`);
    if (this.#dirty.delete(key)) this.add(key);
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
    this.#ready.clear();
    this.#dirty.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }
}
