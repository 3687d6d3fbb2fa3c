/** What a scenario sends and reads, and when. */

import type { FaultMoment } from '@chaosdemo/redis-faults';
import { pauseFor, within } from '@chaosdemo/redis-faults/waiting';
import type { FaultReport, Prepared, RecoveryReport } from '../../engine/observed.ts';
import type { Permit } from '../../engine/subject.ts';
import type { FaultTimes } from '../history/recorded.ts';
import { type PodsNow, podsNow, restartedSince } from '../targets/pods-now.ts';
import type { Judge } from './judge.ts';
import type { Toolkit } from './tools.ts';

/** What a workload does while it prepares, in this order, each at the moment that suits it. */
export interface Stage<A = unknown> {
  /** As {@link StoreFault.prepare}. */
  admit(ms: number, signal: AbortSignal): Promise<void>;
  /** Begins the history. */
  record(): Judge<A>;
}

/**
 * How long callers can be used if no end of a window matters, since their keys are new: longer than the longest fault
 * with what comes before and after it; milliseconds.
 */
export const USABLE_MS = 1_200_000;

/** That callers are set up, and how long they can be used. */
export type Ready = Omit<Prepared, 'fixture'>;

/**
 * One attempt of a workload. `prepare` comes first; all else is used only after it, and only by the process that called
 * it.
 */
export abstract class Workload<A = unknown, P = unknown, T extends Toolkit = Toolkit> {
  protected readonly plan: P;
  protected readonly toolkit: T;
  /** Undefined before the history begins. */
  protected recording: Judge<A> | undefined;

  constructor(plan: P, toolkit: T) {
    this.plan = plan;
    this.toolkit = toolkit;
  }

  /** The record of the attempt, with the result so far. */
  protected get recorded(): Judge<A> {
    if (!this.recording) throw new Error('the workload was not prepared');
    return this.recording;
  }

  /** Sets callers up. @throws an error whose message states what to do; its limits are removed then */
  abstract prepare(fixture: string, stage: Stage<A>, signal: AbortSignal): Promise<Ready>;
  /** Right before the fault of the store. @throws why nothing may be injected: another attempt is planned */
  arrive?(signal: AbortSignal): Promise<void>;
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

/** Polling interval for the start and the end of the fault; milliseconds. */
const TICK_MS = 100;

/** For how long after the start of a fault requests are sent whose outcomes are reported first; milliseconds. */
const FIRST_REPORT_MS = 1500;

/** A scenario with traffic around a fault. */
export interface WatchedPlan {
  /** How long a caller waits for a response; milliseconds. */
  readonly callerTimeoutMs: number;
  /** How long callers send after the fault, and how long after it the last of them has its answer; milliseconds. */
  readonly sendAfterMs: number;
  readonly watchedAfterMs: number;
}

export abstract class WatchedWorkload<
  A = unknown,
  P extends WatchedPlan = WatchedPlan,
  T extends Toolkit = Toolkit,
> extends Workload<A, P, T> {
  /** Ends what is still open when the watch ends: the listening to requests whose callers gave up. */
  protected readonly over = new AbortController();
  /** How long what was sent may take to end after an abort; milliseconds. */
  protected readonly graceMs: number = 0;

  /** Sends until `stop` aborts, and waits for the last answers. */
  protected abstract send(stop: AbortSignal): Promise<void>;

  /**
   * What is seen once the traffic has ended, beginning with a `return`.
   * @param endedAt when the traffic ended
   * @returns when the watch ended
   */
  protected abstract observeReturn(now: PodsNow, endedAt: number, signal: AbortSignal): Promise<number>;

  async watch(signal: AbortSignal, report: () => void): Promise<void> {
    const { history } = this.recorded;
    if (history.last('traffic-ended')) return;
    const { lookAtPods, now } = this.toolkit;
    const { sendAfterMs, watchedAfterMs } = this.plan;
    const enough = new AbortController();
    const until = AbortSignal.any([signal, enough.signal]);
    const sent = this.send(until);
    const reported = this.#untilFirstGaveUp(until).then(report, () => undefined);
    try {
      const noted = this.#noteRestarts(signal);
      // If the watch ends before them, their outcome is not read.
      for (const outcome of [sent, noted, reported]) outcome.catch(() => undefined);
      await this.#untilAfterEnd(sendAfterMs, signal);
      enough.abort();
      await sent;
      const [pods] = await Promise.all([
        podsNow(lookAtPods, signal),
        noted,
        reported,
        this.#untilAfterEnd(watchedAfterMs, signal),
      ]);
      const endedAt = now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...pods.replaced] });
      history.append({ kind: 'ended', at: await this.observeReturn(pods, endedAt, signal) });
    } finally {
      enough.abort();
      await within(sent, this.graceMs).catch(() => undefined);
      this.over.abort();
    }
  }

  /** Notes which pods were restarted in the fault. */
  async #noteRestarts(signal: AbortSignal): Promise<void> {
    const { lookAtPods, now } = this.toolkit;
    await this.untilStarted(signal);
    const before = await podsNow(lookAtPods, signal);
    await this.#untilAfterEnd(0, signal);
    const pods = restartedSince(before, await podsNow(lookAtPods, signal));
    if (pods.length > 0) this.recorded.history.append({ kind: 'restarted', at: now(), pods });
  }

  async #untilFirstGaveUp(signal: AbortSignal): Promise<void> {
    await this.untilStarted(signal);
    await pauseFor(this.plan.callerTimeoutMs + FIRST_REPORT_MS, signal);
  }

  protected async untilStarted(signal: AbortSignal): Promise<void> {
    while (this.times.startedAt === undefined) await pauseFor(TICK_MS, signal);
  }

  /** Waits until this many milliseconds after the end of the fault. */
  async #untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { endedAt = Number.POSITIVE_INFINITY } = this.times;
      const left = endedAt + ms - this.toolkit.now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }

  /** When the fault is active, or may be. */
  protected get times(): Pick<FaultTimes, 'endedAt' | 'startedAt'> {
    const { times } = this.recorded.history;
    return times.presumed ?? times;
  }
}
