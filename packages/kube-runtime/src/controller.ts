/** Workers that reconcile keys: bounded concurrency, backoff on errors, and a graceful stop with a deadline. */
import type { Logger } from './kube-types.ts';
import { type BackoffOptions, endsWithin, systemTimers, type Timers } from './wait.ts';
import { type QueueObserver, WorkQueue } from './work-queue.ts';

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
  key: string;
  /** The last two: it succeeded, and requests a requeue at once or later. */
  outcome: 'success' | 'error' | 'requeue' | 'requeue_after';
  durationMs: number;
}

export interface ControllerOptions {
  /** Name for logs. */
  name: string;
  reconcile: Reconcile;
  logger: Logger;
  /** Maximum concurrent keys. Default 1. At most three quarters of them are of one namespace. */
  concurrency?: number;
  /** Observes waiting and active keys. */
  observer?: QueueObserver | undefined;
  /** Delays after errors; default as in `WorkQueue`. */
  backoff?: BackoffOptions;
  onReconciled?: (record: ReconcileRecord) => void;
  /** Default: the system's. */
  timers?: Timers;
}

/** How long a reconcile may take to react to its aborted signal, in milliseconds. */
const abortGraceMs = 2000;

/** Reconciles the keys given to `enqueue`. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #timers: Timers;
  readonly #abort = new AbortController();
  #started = false;
  #stopping: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    const { backoff, concurrency = 1, observer } = options;
    const maxPerNamespace = Math.ceil((concurrency * 3) / 4);
    this.#queue = new WorkQueue({ backoff, timers: this.#timers, maxPerNamespace, observer });
  }

  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Requests a reconcile of `key`; before `start` it waits in the queue. */
  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /** Starts the workers; a second call does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (let worker = 0; worker < (this.#options.concurrency ?? 1); worker++) void this.#work();
  }

  /**
   * Takes no more keys and waits for the running reconciles; after `deadlineMs` their signal aborts, and shortly after
   * that they are given up (and named in the log). Never rejects; later calls wait for the first.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { logger, name } = this.#options;
    const idle = this.#queue.shutDown();
    if (await endsWithin(this.#timers, deadlineMs, idle)) return;
    const running = this.#queue.processing;
    logger.warn(
      { controller: name, running, deadlineMs },
      'stopping: reconciles still run after the deadline; aborting',
    );
    this.#abort.abort(new Error(`controller ${name} is stopping`));
    if (await endsWithin(this.#timers, abortGraceMs, idle)) return;
    logger.error(
      { controller: name, running: this.#queue.processing },
      'stopping: reconciles ignore their abort; leaving',
    );
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      try {
        await this.#reconcile(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { reconcile, logger, name } = this.#options;
    const startedAt = this.#timers.monotonic();
    try {
      const result = await reconcile(key, this.#abort.signal);
      // This reconcile saw everything that earlier ones knew: a requeue requested by them would only keep a timer, even
      // of an object that is gone.
      this.#queue.forget(key);
      if (result?.requeueAfterMs !== undefined) this.#queue.addAfter(key, result.requeueAfterMs);
      this.#record(key, outcomeOf(result?.requeueAfterMs), startedAt);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const retryInMs = Math.round(this.#queue.addAfterFailure(key));
      logger.error({ err: error, controller: name, key, retryInMs }, 'reconcile failed');
      this.#record(key, 'error', startedAt);
    }
  }

  #record(key: string, outcome: ReconcileRecord['outcome'], startedAt: number): void {
    try {
      this.#options.onReconciled?.({ key, outcome, durationMs: this.#timers.monotonic() - startedAt });
    } catch (error) {
      this.#options.logger.error(
        { err: error, controller: this.#options.name },
        'the observer of reconciles threw',
      );
    }
  }
}

function outcomeOf(requeueAfterMs: number | undefined): ReconcileRecord['outcome'] {
  if (requeueAfterMs === undefined) return 'success';
  return requeueAfterMs > 0 ? 'requeue_after' : 'requeue';
}
