/** What a scenario sends and reads, and when. */
import type { FaultReport, Prepared, RecoveryReport } from '../../../demo/observed.ts';
import type { Permit } from '../../../demo/subject.ts';
import type { FaultMoment } from '../faults/fault.ts';
import type { History } from '../history/history.ts';
import type { Judge } from './scenario-type.ts';

/** The record of one attempt, and what it has shown so far. */
export interface Recording<J extends Judge = Judge> {
  readonly fixture: string;
  readonly history: History;
  readonly judge: J;
}

/** What a workload does while it prepares, in this order, each at the moment that suits it. */
export interface Stage<J extends Judge = Judge> {
  /** As {@link StoreFault.prepare}. */
  admit(ms: number, signal: AbortSignal): Promise<void>;
  /** Begins the history; @param requestsPerSecond of the steady traffic, if there is some */
  record(requestsPerSecond?: number): Recording<J>;
}

/** One attempt of a workload. All but `prepare` is used only after that, and only by the process that prepared it. */
export interface Workload<J extends Judge = Judge> {
  /** Sets callers up. @throws an error whose message says what to do; what it made is gone then */
  prepare(fixture: string, stage: Stage<J>, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>>;
  /**
   * Right before the fault of the store. @returns why nothing may be injected; undefined: it may
   * @throws if that cannot be found out
   */
  arrive?(signal: AbortSignal): Promise<FaultReport | undefined>;
  /** Of a scenario without a fault of the store: sends what is the fault, once. @throws only before anything was sent */
  inject?(moment: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport>;
  /** Sends and reads while the fault is watched, until it has seen all or `signal` aborts. */
  watch(signal: AbortSignal, report: () => void): Promise<void>;
  /** Steady traffic, until `signal` aborts. */
  load?(signal: AbortSignal): Promise<void>;
  /** Looks at what the fault left, once the store accepted a write; at most for about `settleMs` milliseconds. */
  settle?(settleMs: number, signal: AbortSignal): Promise<Settled>;
}

/** What was seen after a fault. */
export interface Settled extends Pick<RecoveryReport, 'restedAt'> {
  readonly message: string;
  /** What the store held in the end; left out: not known. */
  readonly stored?: number;
}
