/**
 * The queue between a change and its reconcile: each key is queued at most once, is never processed twice at the same
 * time, and a key added while it is processed is processed again afterwards, so that no change is lost.
 *
 * Namespaces take turns, and none of them can occupy all workers: a key waits mainly for others of its namespace.
 */
import { FairQueue } from './fair/fair-queue.ts';
import { type BackoffOptions, backoffDelay, longestTimerMs, systemTimers, type Timers } from './wait.ts';

/** Metrics of a queue's keys; times in milliseconds. */
export interface QueueObserver {
  /** A key was queued that was not queued before. */
  added(): void;
  /** A worker has taken a key after this wait. */
  taken(waitedMs: number): void;
  /** A worker is done with a key after this time. */
  done(workedMs: number): void;
  /** A key is added again after a failure. */
  retried(): void;
}

/** All optional. */
export interface WorkQueueOptions {
  /** Delays of `addAfterFailure`; default 0.25 s, doubling to 60 s. */
  backoff?: BackoffOptions | undefined;
  /** Default: the system's. */
  timers?: Timers | undefined;
  /** Maximum concurrent keys of one namespace. Default: any number. */
  maxPerNamespace?: number | undefined;
  observer?: QueueObserver | undefined;
}

/** A queue of keys for any number of concurrent workers. */
export class WorkQueue {
  readonly #backoff: BackoffOptions;
  readonly #timers: Timers;
  readonly #maxPerNamespace: number;
  readonly #observer: QueueObserver | undefined;
  /** Waiting to be processed, by namespace; never one that is being processed. */
  readonly #waiting = new FairQueue<string>();
  /** When each of those began to wait. */
  readonly #waitingSince = new Map<string, number>();
  /** Taken and not done, with the time it was taken. */
  readonly #processing = new Map<string, number>();
  /** Added again while being processed, with the time. */
  readonly #dirty = new Map<string, number>();
  readonly #delayed = new Map<string, { dueAt: number; cancel: AbortController }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idle = Promise.withResolvers<void>();
  #shutDown = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#backoff = options.backoff ?? { baseMs: 250, maxMs: 60_000 };
    this.#timers = options.timers ?? systemTimers;
    this.#maxPerNamespace = options.maxPerNamespace ?? Infinity;
    this.#observer = options.observer;
  }

  /** Keys ready to be taken, without delayed ones. */
  get depth(): number {
    return this.#waitingSince.size + this.#dirty.size;
  }

  /** Keys taken and not done. */
  get processing(): readonly string[] {
    return [...this.#processing.keys()];
  }

  /** Queues `key` to be processed as soon as a worker is free. After `shutDown` it does nothing. */
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

  /** Adds `key` in `ms` milliseconds; of several delays of one key the earliest applies. */
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

  /** The key succeeded: its next failure starts from the shortest delay, and pending delays are cancelled. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#delayed.get(key)?.cancel.abort();
    this.#delayed.delete(key);
  }

  /** Takes the next key, waiting if need be; return it with `done`. Undefined means shut down: take no more. */
  take(): Promise<string | undefined> {
    if (this.#shutDown) return Promise.resolve(undefined);
    const taken = new Promise<string | undefined>((resolve) => this.#takers.push(resolve));
    this.#handOut();
    return taken;
  }

  /** Ends the processing of a key; if it was added during that, it is queued again. */
  done(key: string): void {
    const workedSince = this.#processing.get(key);
    if (workedSince === undefined) throw new Error(`done("${key}") without having been taken`);
    this.#processing.delete(key);
    this.#observer?.done(this.#timers.monotonic() - workedSince);
    const since = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (since === undefined) this.#handOut();
    else this.#await(key, since);
    if (this.#shutDown && this.#processing.size === 0) this.#idle.resolve();
  }

  /**
   * Hands out nothing more, forgets waiting keys (the next process lists again), and resolves once taken keys are done.
   */
  shutDown(): Promise<void> {
    this.#shutDown = true;
    for (const { cancel } of this.#delayed.values()) cancel.abort();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#waitingSince.clear();
    this.#dirty.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  #await(key: string, since: number): void {
    if (!this.#waitingSince.has(key)) this.#waitingSince.set(key, since);
    this.#waiting.push(namespaceOf(key), key);
    this.#handOut();
  }

  /** Hands keys to waiting workers, as long as there are both. */
  #handOut(): void {
    while (this.#takers.length > 0) {
      const key = this.#waiting.shift((namespace) => this.#hasWorkerFor(namespace));
      if (key === undefined) return;
      const now = this.#timers.monotonic();
      this.#observer?.taken(now - (this.#waitingSince.get(key) ?? now));
      this.#waitingSince.delete(key);
      this.#processing.set(key, now);
      this.#takers.shift()?.(key);
    }
  }

  #hasWorkerFor(namespace: string): boolean {
    const ofIt = this.processing.filter((key) => namespaceOf(key) === namespace);
    return ofIt.length < this.#maxPerNamespace;
  }
}

/** The namespace of a key `namespace/name`; '' for an object without one. */
function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}
