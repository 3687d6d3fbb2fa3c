/**
 * One term of leading. Work belongs to the term that began it: it may not act after the end of that term, even if the
 * process leads again.
 */
import { Controller } from '@chaosdemo/kube-runtime';
import type { ConnectedSubject } from './ports.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';

export interface TermOptions extends Omit<ReconcilerOptions, 'enqueue' | 'hasLead' | 'leads' | 'subjects'> {
  /** Connects the subjects for this term; they change their state in the cluster only while `hasLead` holds. */
  readonly connect: (hasLead: () => boolean) => readonly ConnectedSubject[];
  /** Whether this process leads now, in any term. */
  readonly processLeads: () => boolean;
  /** Objects reconciled at the same time. */
  readonly concurrency: number;
}

/** How a term ends. */
export interface TermEnd {
  /** Whether faults are ended first; a process that no longer leads lets them run to their own end. */
  readonly release: boolean;
  /** Time limit in total, in milliseconds. */
  readonly deadlineMs: number;
}

/** The workers and sessions of one term. */
export class Term {
  readonly #options: TermOptions;
  /** The reconciler of this term, with its metrics. */
  readonly reconciler: Reconciler;
  readonly #controller: Controller;
  #ending: Promise<void> | undefined;
  #lost = false;

  /** Starts working on enqueued objects. */
  constructor(options: TermOptions) {
    const { recorders, clock, concurrency, connect, logger } = options;
    const hasLead = (): boolean => this.#hasLead;
    this.#options = options;
    this.reconciler = new Reconciler({
      ...options,
      subjects: connect(hasLead),
      enqueue: (key) => this.enqueue(key),
      hasLead,
      leads: () => this.leads,
    });
    this.#controller = new Controller({
      name: 'chaosdemo',
      logger,
      concurrency,
      backoff: { baseMs: 250, maxMs: 30_000 },
      timers: clock,
      reconcile: (key, stopping) => this.reconciler.reconcile(key, stopping),
      onReconciled: recorders.metrics.reconciled,
    });
    this.#controller.start();
  }

  /** Whether this term leads now. */
  get leads(): boolean {
    return this.#ending === undefined && this.#options.processLeads();
  }

  /** Objects that wait for a worker. */
  get depth(): number {
    return this.#controller.depth;
  }

  /** Takes over all objects. */
  takeOver(keys: Iterable<string>): void {
    const all = [...keys];
    this.reconciler.takeOver(all);
    for (const key of all) this.enqueue(key);
  }

  /** Requests a decision on an object. */
  enqueue(key: string): void {
    this.#controller.enqueue(key);
  }

  /** Ends the term; later calls wait for the first. */
  end(how: TermEnd): Promise<void> {
    if (!how.release) this.#lost = true;
    this.#ending ??= this.#end(how);
    return this.#ending;
  }

  /**
   * Whether no other process may lead: true also while this term shuts down. The process may lead again by a later one.
   */
  get #hasLead(): boolean {
    return !this.#lost && this.#options.processLeads();
  }

  async #end({ deadlineMs, release }: TermEnd): Promise<void> {
    // A part for work under way, the rest for proving that active faults are released.
    await this.#controller.stop(deadlineMs * 0.4);
    // The lead may have been lost by now; active faults then belong to another process.
    await this.reconciler.close({ release: release && this.#hasLead, deadlineMs: deadlineMs * 0.6 });
  }
}
