/** Writes decided statuses and finalizers, as long as the deciding term has the lead, and counts the attempts. */
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import type { Recorders } from './announce.ts';
import type { DemoApi, Write } from './ports.ts';

/** Metric label for each result of a write. */
const COUNTED = { stored: 'stored', conflict: 'conflict', gone: 'failed', refused: 'rejected' } as const;

interface StatusWriterOptions {
  readonly api: DemoApi;
  readonly recorders: Pick<Recorders, 'metrics'>;
  readonly hasLead: () => boolean;
}

/** A write was not sent, because the deciding term does not lead. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/**
 * Every `stored` has the current object, changed or not. Every write throws a {@link NotLeadingError} if the term does
 * not have the lead, and the error if the API server did not answer: such a write may have happened.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  async apply(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write> {
    this.#mustLead();
    const { api, recorders } = this.#options;
    let result: (typeof COUNTED)[Write['state']] = 'failed';
    try {
      const write = await api.applyStatus(demo, status, signal);
      result = COUNTED[write.state];
      return write;
    } finally {
      recorders.metrics.statusWritten(result);
    }
  }

  /** Adds the finalizer, which is required before a fault is announced, or removes it. */
  async setFinalizer(demo: ChaosDemo, isWanted: boolean, signal: AbortSignal): Promise<Write> {
    const { deletionTimestamp, finalizers = [] } = demo.metadata;
    const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
    const has = others.length < finalizers.length;
    if (isWanted === has || (isWanted && deletionTimestamp)) return { state: 'stored', demo };
    this.#mustLead();
    const wanted = isWanted ? [...others, FINALIZER] : others;
    const write = await this.#options.api.writeFinalizers(demo, wanted, signal);
    // The deletion was requested a moment ago, and a late finalizer is rejected: our copy is stale.
    return isWanted && write.state === 'refused' ? { state: 'conflict' } : write;
  }

  /** Right before a write: a process may be frozen between a decision and its write. */
  #mustLead(): void {
    if (!this.#options.hasLead())
      throw new NotLeadingError('nothing was written: this operator no longer leads');
  }
}
