/** Writes what was decided of an object, and counts the attempts. */
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import type { OperatorMetrics } from '../metrics/metrics.ts';
import type { DemoApi, Write } from './ports.ts';

/** How each end of a write is counted. */
const COUNTED = { stored: 'stored', conflict: 'conflict', gone: 'failed', refused: 'rejected' } as const;

/** Every `stored` has the object as it is now, changed or not. */
export class StatusWriter {
  readonly #api: DemoApi;
  readonly #metrics: OperatorMetrics;

  constructor(api: DemoApi, metrics: OperatorMetrics) {
    this.#api = api;
    this.#metrics = metrics;
  }

  /** Stores a status. @throws where the API server did not say; the write may have happened */
  async apply(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write> {
    try {
      const write = await this.#api.applyStatus(demo, status, signal);
      this.#metrics.statusWritten(COUNTED[write.state]);
      return write;
    } catch (error) {
      this.#metrics.statusWritten('failed');
      throw error;
    }
  }

  /** Sees that the object carries the finalizer: to be done before a fault is announced. @throws as `apply` */
  async hold(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    const { deletionTimestamp, finalizers = [] } = demo.metadata;
    if (finalizers.includes(FINALIZER) || deletionTimestamp) return { state: 'stored', demo };
    const write = await this.#api.addFinalizer(demo, signal);
    // The deletion was asked for a moment ago, and a finalizer that is late is refused: what was read is old.
    return write.state === 'refused' ? { state: 'conflict' } : write;
  }

  /** Sees that the object does not carry the finalizer. @throws as `apply` */
  async letGo(demo: ChaosDemo, signal: AbortSignal): Promise<Write> {
    if (!demo.metadata.finalizers?.includes(FINALIZER)) return { state: 'stored', demo };
    return await this.#api.removeFinalizer(demo, signal);
  }
}
