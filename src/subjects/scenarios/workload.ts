/** What a scenario sends and reads, and when. */
import type { FaultMoment } from '@chaosdemo/redis-faults';
import type { FaultReport, Prepared, RecoveryReport } from '../../engine/observed.ts';
import type { Permit } from '../../engine/subject.ts';
import type { History } from '../history/history.ts';
import type { Judge } from './judge.ts';
import type { ScenarioPlan } from './scenario-type.ts';
import type { Toolkit } from './tools.ts';

/** The record of one attempt, with the result so far. */
export interface Recording<A = unknown> {
  readonly history: History;
  readonly judge: Judge<A>;
}

/** What a workload does while it prepares, in this order, each at the moment that suits it. */
export interface Stage<A = unknown> {
  /** As {@link StoreFault.prepare}. */
  admit(ms: number, signal: AbortSignal): Promise<void>;
  /** Begins the history. */
  record(): Recording<A>;
}

/** That callers are set up, and how long they can be used. */
export type Ready = Omit<Prepared, 'fixture' | 'sequence'>;

/**
 * One attempt of a workload. `prepare` comes first; all else is used only after it, and only by the process that called
 * it.
 */
export abstract class Workload<
  A = unknown,
  P extends ScenarioPlan = ScenarioPlan,
  T extends Toolkit = Toolkit,
> {
  protected readonly plan: P;
  protected readonly toolkit: T;
  /** Undefined before the history begins. */
  protected recording: Recording<A> | undefined;

  constructor(plan: P, toolkit: T) {
    this.plan = plan;
    this.toolkit = toolkit;
  }

  protected get recorded(): Recording<A> {
    if (!this.recording) throw new Error('the workload was not prepared');
    return this.recording;
  }

  /** Sets callers up. @throws an error whose message states what to do; its limits are removed then */
  abstract prepare(fixture: string, stage: Stage<A>, signal: AbortSignal): Promise<Ready>;
  /**
   * Right before the fault of the store.
   * @returns why nothing may be injected; undefined: it may
   * @throws if this cannot be determined
   */
  arrive?(signal: AbortSignal): Promise<FaultReport | undefined>;
  /**
   * For a scenario without a fault of the store: sends the requests that are the fault, once.
   * @throws only before anything was sent
   */
  inject?(moment: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport>;
  /** Sends and reads while the fault is watched, until everything was observed or `signal` aborts. */
  abstract watch(signal: AbortSignal, report: () => void): Promise<void>;
  /** Steady traffic, until `signal` aborts. */
  load?(signal: AbortSignal): Promise<void>;
  /** Reads the effects of the fault, once the store accepted a write; takes about `settleMs` milliseconds at most. */
  settle?(settleMs: number, signal: AbortSignal): Promise<Settled>;
}

/** Observations after a fault. */
export interface Settled extends Pick<RecoveryReport, 'restedAt'> {
  readonly message: string;
  /** The count in the store in the end; left out: unknown. */
  readonly stored?: number;
}
