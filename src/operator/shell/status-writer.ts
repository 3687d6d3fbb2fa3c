/** Writes decided statuses and finalizers, as long as the deciding term has the lead, and counts the attempts. */
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import type { OperatorMetrics } from '../metrics/metrics.ts';
import type { DemoApi, Write } from './ports.ts';

/** Metric label for each result of a write. */
const COUNTED = { stored: 'stored', conflict: 'conflict', gone: 'failed', refused: 'rejected' } as const;

/** A write was not sent, because the deciding term does not lead. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/**
 * Every `stored` has the current object, changed or not. Every write throws a {@link NotLeadingError} if the term does
 * not have the lead, and the error if the API server did not answer: such a write may have happened.
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

  /** Adds the finalizer if it is missing: required before a fault is announced. */
  async ensureFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    const { deletionTimestamp, finalizers = [] } = demo.metadata;
    if (finalizers.includes(FINALIZER) || deletionTimestamp) return { state: 'stored', demo };
    this.#mustLead();
    const write = await this.#api.writeFinalizers(demo, [...finalizers, FINALIZER], signal);
    // The deletion was requested a moment ago, and a late finalizer is rejected: our copy is stale.
    return write.state === 'refused' ? { state: 'conflict' } : write;
  }

  /** Removes the finalizer if it is there. */
  async removeFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    const { finalizers = [] } = demo.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    if (others.length === finalizers.length) return { state: 'stored', demo };
    this.#mustLead();
    return await this.#api.writeFinalizers(demo, others, signal);
  }

  /** Right before a write: a process may be frozen between a decision and its write. */
  #mustLead(): void {
    if (!this.#hasLead()) throw new NotLeadingError('nothing was written: this operator no longer leads');
  }
}
