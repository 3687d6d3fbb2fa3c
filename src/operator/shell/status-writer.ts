/** Writes what was decided of an object, as long as the term that decided has the lead, and counts the attempts. */
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import type { OperatorMetrics } from '../metrics/metrics.ts';
import type { DemoApi, Write } from './ports.ts';

/** How each end of a write is counted. */
const COUNTED = { stored: 'stored', conflict: 'conflict', gone: 'failed', refused: 'rejected' } as const;

/** A write was not sent, since the term that decided on it does not lead. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/**
 * Every `stored` has the object as it is now, changed or not. Every write throws a {@link NotLeadingError} if the term
 * does not have the lead, and what the API server did not answer: such a write may have happened.
 */
export class StatusWriter {
  readonly #api: DemoApi;
  readonly #metrics: OperatorMetrics;
  readonly #hasLead: () => boolean;

  constructor(api: DemoApi, metrics: OperatorMetrics, hasLead: () => boolean) {
    this.#api = api;
    this.#metrics = metrics;
    this.#hasLead = hasLead;
  }

  /** Stores a status. */
  async apply(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write> {
    this.#mustLead();
    try {
      const write = await this.#api.applyStatus(demo, status, signal);
      this.#metrics.statusWritten(COUNTED[write.state]);
      return write;
    } catch (error) {
      this.#metrics.statusWritten('failed');
      throw error;
    }
  }

  /** Sees that the object carries the finalizer: to be done before a fault is announced. */
  async ensureFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    const { deletionTimestamp, finalizers = [] } = demo.metadata;
    if (finalizers.includes(FINALIZER) || deletionTimestamp) return { state: 'stored', demo };
    this.#mustLead();
    const write = await this.#api.addFinalizer(demo, signal);
    // The deletion was requested a moment ago, and a late finalizer is rejected: our copy is stale.
    return write.state === 'refused' ? { state: 'conflict' } : write;
  }

  /** Sees that the object does not carry the finalizer. */
  async removeFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    if (!demo.metadata.finalizers?.includes(FINALIZER)) return { state: 'stored', demo };
    this.#mustLead();
    return await this.#api.removeFinalizer(demo, signal);
  }

  /** Right before a write: a process may be frozen between what it decides and what it sends. */
  #mustLead(): void {
    if (!this.#hasLead()) throw new NotLeadingError('nothing was written: this operator no longer leads');
  }
}
