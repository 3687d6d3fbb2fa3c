/** Where counter drift has its figures from: one for each way to read a count. */
import type { FaultReport, RecoveryReport } from '../../../../demo/observed.ts';
import type { CounterSample } from '../../interfaces/reference/counter-sample.ts';
import type { LimitWindow } from '../../interfaces/reference/setup-limit.ts';
import type { TrafficNode } from '../../interfaces/steady-traffic.ts';
import type { CountSource } from '../fault-watch.ts';
import type { Fixture } from '../fixture.ts';

/** Yeses by node. */
export type AdmittedByNode = ReadonlyMap<string, number>;

/** What a recovery is to look at. */
export interface DriftRecovery {
  /** Undefined after a restart: the key of the fault is not known any more. */
  readonly window: LimitWindow | undefined;
  readonly drifted: boolean;
  readonly admitted: AdmittedByNode;
  readonly writeWithinMs: number;
  readonly settleMs: number;
}

export interface Counters {
  readonly source: CountSource;
  /** Gets a key ready. @throws an error whose message says what to do */
  prepare(key: string, signal: AbortSignal): Promise<Fixture>;
  /** Why nothing may be injected: the key is not untouched. @throws where it cannot be found out */
  usedBefore(window: LimitWindow, signal: AbortSignal): Promise<FaultReport | undefined>;
  /** The nodes, as the traffic asks them. */
  nodes(window: LimitWindow): readonly TrafficNode[];
  /**
   * What was admitted first, and what was counted after that: so the difference can only come out too small.
   * @param allowed what the sender was allowed so far
   * @throws only the reason of `signal`
   */
  look(window: LimitWindow, allowed: () => AdmittedByNode, signal: AbortSignal): Promise<CounterSample>;
  /** @throws only the reason of `signal` */
  recover(recovery: DriftRecovery, signal: AbortSignal): Promise<RecoveryReport>;
}
