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
  /** Keys of all objects: the initial work. */
  readonly keys: () => Iterable<string>;
}

/** How long its end may take, in milliseconds: work under way, then proving that active faults are released. */
const [STOP_MS, RELEASE_MS] = [8500, 12_500];

/** The workers and sessions of one term. */
export class Term {
  readonly #options: TermOptions;
  /** The reconciler of this term, with its metrics. */
  readonly reconciler: Reconciler;
  readonly #controller: Controller;
  #ending: Promise<void> | undefined;
  #lost = false;

  /** Takes over all objects, and starts working on them. */
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
    const keys = [...options.keys()];
    this.reconciler.takeOver(keys);
    for (const key of keys) this.enqueue(key);
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

  /** Requests a decision on an object. */
  enqueue(key: string): void {
    this.#controller.enqueue(key);
  }

  /**
   * Ends the term; later calls wait for the first.
   * @param release whether faults are ended first; a process that no longer leads lets them run to their own end
   */
  end({ release }: { readonly release: boolean }): Promise<void> {
    if (!release) this.#lost = true;
    this.#ending ??= this.#end(release);
    return this.#ending;
  }

  /**
   * Whether no other process may lead: true also while this term shuts down. The process may lead again by a later one.
   */
  get #hasLead(): boolean {
    return !this.#lost && this.#options.processLeads();
  }

  async #end(release: boolean): Promise<void> {
    await this.#controller.stop(STOP_MS);
    // The lead may have been lost by now; active faults then belong to another process.
    await this.reconciler.close({ release: release && this.#hasLead, deadlineMs: RELEASE_MS });
  }
}
