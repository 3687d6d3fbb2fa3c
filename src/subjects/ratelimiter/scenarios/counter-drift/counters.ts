/** Where counter drift has its figures from: one for each way to read a count. */
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import type { AdmittedByNode, CounterSample, CountSource } from '../../history/counter-sample.ts';
import type { Asked } from '../../http/node-client.ts';
import type { Settled } from '../workload.ts';

/** What was seen of the fault, when it is time to look at what it left. */
export interface DriftSeen {
  readonly key: string;
  readonly drifted: boolean;
  /** The most that was seen to be admitted. */
  readonly admitted: AdmittedByNode;
  readonly settleMs: number;
}

export interface Counters {
  readonly source: CountSource;
  /** Gets a key ready. @throws an error whose message says what to do */
  prepare(key: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>>;
  /** Why nothing may be injected: the key has been used. @throws if that cannot be found out */
  usedBefore(key: string, signal: AbortSignal): Promise<FaultReport | undefined>;
  /** A request to this pod is being sent; what is returned hears how it ended. */
  sending(pod: string): ((asked: Asked) => void) | undefined;
  /**
   * What was admitted first, and what was counted after that: so the difference can only be too small.
   * @param allowed what the sender was allowed so far
   * @throws only the reason of `signal`
   */
  look(key: string, allowed: () => AdmittedByNode, signal: AbortSignal): Promise<CounterSample>;
  /** What the fault left, once Redis accepted a write. @throws only the reason of `signal` */
  settle(seen: DriftSeen, signal: AbortSignal): Promise<Settled>;
}
