/**
 * Reconciles keys: with bounded concurrency, backoff on errors, and a graceful stop with a deadline. A key waits at most
 * once, is never reconciled twice at the same time, and if it is enqueued while it is reconciled, it is reconciled again
 * afterwards, so that no change is lost.
 *
 * Namespaces take turns, and none of them can occupy all workers: a key waits mainly for others of its namespace.
 */
import { FairQueue } from './fair/fair-queue.ts';
import { type Logger, namespaceOf } from './kube-types.ts';
import { type BackoffOptions, backoffDelay, endsWithin, systemTimers, type Timers } from './wait.ts';

/** When to requeue; empty: at the next change. It replaces the request of an earlier reconcile. */
export interface ReconcileResult {
  /** Reconcile the key again after this many milliseconds, even without a change. */
  requeueAfterMs?: number;
}

/**
 * Moves the actual state closer to the object of this key. Reads the current state itself: the key identifies the
 * object, not the change. A thrown error is logged, and the key is retried with a growing delay.
 */
// A reconcile without a requeue returns nothing.
// oxlint-disable-next-line typescript/no-invalid-void-type
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>;

/** The end of one reconcile, for metrics. */
export interface ReconcileRecord {
  /** The last two: it succeeded, and requests a requeue at once or later. */
  outcome: 'success' | 'error' | 'requeue' | 'requeue_after';
  /** How long the key waited for a worker. */
  waitedMs: number;
  durationMs: number;
}

export interface ControllerOptions {
  /** Name for logs. */
  name: string;
  reconcile: Reconcile;
  logger: Logger;
  /** Maximum concurrent keys. Default 1. At most three quarters of them are of one namespace. */
  concurrency?: number;
  /** Delays after errors; default 0.25 s, doubling to 60 s. */
  backoff?: BackoffOptions;
  /** Must not throw. */
  onReconciled?: (record: ReconcileRecord) => void;
  /** Default: the system's. */
  timers?: Timers;
}

/** How long a reconcile may take to react to its aborted signal, in milliseconds. */
const abortGraceMs = 2000;

/**
 * After so many reconciles in a row, timers and sockets have a turn: thousands that wait for nothing, as at the start,
 * would hold up the renewal of a lease for seconds.
 */
const mostInARow = 32;

/** Reconciles the keys given to `enqueue`. */
export class Controller {
  readonly #options: ControllerOptions &
    Required<Pick<ControllerOptions, 'backoff' | 'concurrency' | 'timers'>>;
  readonly #abort = new AbortController();
  /** When each key was enqueued that no worker has taken since. */
  readonly #enqueuedAt = new Map<string, number>();
  /** Those of them that a worker may take, by namespace: the others are being reconciled. */
  readonly #waiting = new FairQueue<string>();
  readonly #running = new Set<string>();
  readonly #delayed = new Map<string, { dueAt: number; cancel: AbortController }>();
  readonly #failures = new Map<string, number>();
  /** Reconciles so far, and the turn of others that the next one waits for. */
  #begun = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Resolves once no reconcile runs after `stop`. */
  readonly #idle = Promise.withResolvers<void>();
  #started = false;
  #stopping: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    const defaults = { concurrency: 1, backoff: { baseMs: 250, maxMs: 60_000 }, timers: systemTimers };
    this.#options = { ...defaults, ...options };
  }

  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#enqueuedAt.size;
  }

  /** Requests a reconcile of `key`; before `start` it waits in the queue, and after `stop` it does nothing. */
  enqueue(key: string): void {
    if (this.#stopping) return;
    if (!this.#enqueuedAt.has(key)) this.#enqueuedAt.set(key, this.#options.timers.monotonic());
    this.#await(key);
  }

  /** Starts the workers; a second call does nothing. */
  start(): void {
    this.#started = true;
    this.#handOut();
  }

  /**
   * Takes no more keys and waits for the running reconciles; after `deadlineMs` their signal aborts, and shortly after
   * that they are given up (and named in the log). Waiting keys are forgotten: the next process lists again. Never
   * rejects; later calls wait for the first.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { logger, name: controller, timers } = this.#options;
    for (const { cancel } of this.#delayed.values()) cancel.abort();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#enqueuedAt.clear();
    if (this.#running.size === 0) return;
    if (await endsWithin(timers, deadlineMs, this.#idle.promise)) return;
    logger.warn(
      { controller, running: [...this.#running], deadlineMs },
      'stopping: reconciles still run after the deadline; aborting',
    );
    this.#abort.abort(new Error(`controller ${controller} is stopping`));
    if (await endsWithin(timers, abortGraceMs, this.#idle.promise)) return;
    logger.error(
      { controller, running: [...this.#running] },
      'stopping: reconciles ignore their abort; leaving',
    );
  }

  /** Queues a key that was enqueued, unless it is being reconciled. */
  #await(key: string): void {
    if (!this.#running.has(key)) this.#waiting.push(namespaceOf(key), key);
    this.#handOut();
  }

  /** Begins to reconcile waiting keys, as long as there are workers. */
  #handOut(): void {
    const { concurrency, timers } = this.#options;
    while (this.#started && this.#running.size < concurrency) {
      const key = this.#waiting.shift((namespace) => this.#hasWorkerFor(namespace));
      if (key === undefined) return;
      this.#begun += 1;
      if (this.#begun % mostInARow === 0)
        this.#turn = timers.sleep(0, this.#abort.signal).catch(() => undefined);
      const now = timers.monotonic();
      const waitedMs = now - (this.#enqueuedAt.get(key) ?? now);
      this.#enqueuedAt.delete(key);
      this.#running.add(key);
      void this.#work(key, waitedMs);
    }
  }

  #hasWorkerFor(namespace: string): boolean {
    const most = Math.ceil((this.#options.concurrency * 3) / 4);
    return [...this.#running].filter((key) => namespaceOf(key) === namespace).length < most;
  }

  async #work(key: string, waitedMs: number): Promise<void> {
    // Not in the call stack of `enqueue`.
    await this.#turn;
    await this.#reconcile(key, waitedMs);
    this.#running.delete(key);
    if (this.#enqueuedAt.has(key)) this.#await(key);
    else this.#handOut();
    if (this.#stopping && this.#running.size === 0) this.#idle.resolve();
  }

  async #reconcile(key: string, waitedMs: number): Promise<void> {
    const { logger, name: controller, onReconciled, reconcile, timers } = this.#options;
    const startedAt = timers.monotonic();
    const record = (outcome: ReconcileRecord['outcome']): void =>
      onReconciled?.({ outcome, waitedMs, durationMs: timers.monotonic() - startedAt });
    try {
      const { requeueAfterMs } = (await reconcile(key, this.#abort.signal)) ?? {};
      // This reconcile saw everything that earlier ones knew: a requeue requested by them would only keep a timer, even
      // of an object that is gone.
      this.#failures.delete(key);
      this.#delayed.get(key)?.cancel.abort();
      this.#delayed.delete(key);
      if (requeueAfterMs !== undefined) this.#enqueueAfter(key, requeueAfterMs);
      record(outcomeOf(requeueAfterMs));
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const failures = this.#failures.get(key) ?? 0;
      const delayMs = backoffDelay(failures, this.#options.backoff);
      this.#failures.set(key, failures + 1);
      this.#enqueueAfter(key, delayMs);
      logger.error({ err: error, controller, key, retryInMs: Math.round(delayMs) }, 'reconcile failed');
      record('error');
    }
  }

  /** Enqueues `key` in `ms` milliseconds; of several delays of one key the earliest applies. */
  #enqueueAfter(key: string, ms: number): void {
    if (this.#stopping) return;
    if (ms <= 0) return this.enqueue(key);
    const { timers } = this.#options;
    const dueAt = timers.monotonic() + ms;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.dueAt <= dueAt) return;
    pending?.cancel.abort();
    const cancel = new AbortController();
    this.#delayed.set(key, { dueAt, cancel });
    void timers.sleep(ms, cancel.signal).then(
      () => {
        if (cancel.signal.aborted) return;
        this.#delayed.delete(key);
        this.enqueue(key);
      },
      () => undefined,
    );
  }
}

function outcomeOf(requeueAfterMs: number | undefined): ReconcileRecord['outcome'] {
  if (requeueAfterMs === undefined) return 'success';
  return requeueAfterMs > 0 ? 'requeue_after' : 'requeue';
}
