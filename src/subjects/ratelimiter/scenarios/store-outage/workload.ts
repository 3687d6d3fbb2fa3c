/** A store outage: what callers experience before, during and after a fault of the store. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import type { FaultTimes } from '../../history/recorded.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { returnsWithin } from '../../limits/replenish.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { podsNow, restartedSince } from '../../target/pods-now.ts';
import type { Toolkit } from '../../tools.ts';
import type { Recording, Stage, Workload } from '../workload.ts';
import { whyDecided } from './judge.ts';
import { OutageCallers } from './outage-callers.ts';
import {
  drawOf,
  parametersOf,
  type StoreOutageSpec,
  sendAfterMs,
  storyMs,
  windowsEnd,
} from './parameters.ts';
import type { Phase } from './population.ts';

/** Polling interval for the start and the end of the fault; milliseconds. */
const TICK_MS = 100;
/** How long a key can be used if no end of a window matters; milliseconds. */
const NO_WINDOW_MS = 600_000;

/** The result of `prepare`. */
interface Prepared extends Recording<OutageSeen> {
  readonly callers: OutageCallers;
}

export class OutageWorkload implements Workload<OutageSeen> {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #limit: RateLimit;
  readonly #parameters: StoreOutageSpec;
  #prepared: Prepared | undefined;
  #isWaiting = false;
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#limit = limitOf(toolkit.limiter);
    this.#parameters = parametersOf(scenario);
  }

  /** Exhausts the limit of one caller, and has requests of others admitted: both must work before a fault. */
  async prepare(
    fixture: string,
    stage: Stage<OutageSeen>,
    signal: AbortSignal,
  ): ReturnType<Workload['prepare']> {
    const { limiter, now, ownLimit, target } = this.#toolkit;
    const { windowMs } = this.#limit;
    const takesMs = storyMs(this.#scenario, limiter);
    const anyWindow = windowsEnd(this.#scenario, limiter);
    const callers = this.#callersOf(fixture);
    // The cool-downs of one caller take longer than a check of Redis stays valid.
    const early = ownLimit && (await callers.control(signal));
    // As much of it as fits: one caller does not need all of it.
    const needMs = Math.min(takesMs, windowMs - 2 * CLOCK_WITHIN_MS);
    if (!anyWindow) await untilItFits(this.#limit, needMs, now, signal);
    await stage.admit(2 * Math.max(windowMs, takesMs), signal);
    const recording = stage.record();
    this.#prepared = { ...recording, callers };
    for (const request of early ?? (await callers.control(signal))) recording.history.request(request);
    const { preparedAt } = recording.history.setup;
    const windowEnds = anyWindow ? undefined : windowEnd(this.#limit, preparedAt);
    // The window of the one caller begins with the fault.
    const noWindow = anyWindow || this.#limit.algorithm === 'TokenBucket' || ownLimit;
    const full = counted(admittedAtOnce(this.#limit), 'request');
    const pods = counted(target.pods.length, 'pod');
    return {
      fixture,
      usableUntil: Math.floor(windowEnds ?? preparedAt + (noWindow ? NO_WINDOW_MS : windowMs)),
      message: ownLimit
        ? `The operator's address: ${full} admitted and then rejected by ${pods}, and the limit is replenished`
        : `Callers ${fixture}-...: ${full} admitted and then rejected, others admitted by ${pods}`,
    };
  }

  #callersOf(fixture: string): OutageCallers {
    const { callerTimeout, requestsPerSecond } = this.#parameters;
    const { limiter, target } = this.#toolkit;
    return new OutageCallers({
      toolkit: this.#toolkit,
      draw: drawOf(this.#scenario, limiter, target.pods.length, fixture),
      turnsPerSecond: requestsPerSecond,
      callerTimeoutMs: parseDuration(callerTimeout),
      phase: () => this.#phase,
      record: (request) => this.#recorded.history.request(request),
      leftOut: () => this.#prepared?.history.append({ kind: 'left-out', requests: 1 }),
      late: {
        onAnswer: (request, late) => this.#prepared?.history.late(request, late),
        until: this.#listening.signal,
      },
    });
  }

  async arrive(signal: AbortSignal): Promise<undefined> {
    if (!this.#toolkit.ownLimit) return;
    const { callers, history } = this.#recorded;
    history.append({ kind: 'arrived', at: this.#toolkit.now() });
    await callers.arrive(signal);
  }

  /**
   * Callers send from the start of the watch, or of the fault if one caller has its limit for all of it, until the time
   * to recover has ended; then the outcomes are judged. If there is no violation by then, they wait for their limits to
   * return, and send again.
   */
  async watch(signal: AbortSignal): Promise<void> {
    const { callers, history } = this.#recorded;
    if (history.last('traffic-ended')) return;
    const { now } = this.#toolkit;
    const enough = new AbortController();
    try {
      const sent = this.#send(AbortSignal.any([signal, enough.signal]));
      const noted = this.#noteRestarts(signal);
      // If the watch ends before them, their outcome is not read.
      for (const outcome of [sent, noted]) outcome.catch(() => undefined);
      const sendMs = sendAfterMs(this.#parameters);
      await this.#untilAfterEnd(sendMs, signal);
      enough.abort();
      await sent;
      const [{ replaced }] = await Promise.all([
        podsNow(this.#toolkit.lookAtPods, signal),
        noted,
        // The last callers have their answers, or have given up, when the watch ends.
        this.#untilAfterEnd(sendMs + parseDuration(this.#parameters.callerTimeout), signal),
      ]);
      const endedAt = now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...replaced] });
      const withinMs = returnsWithin(this.#limit);
      const why = this.#whyNoReturn(withinMs);
      history.append({ kind: 'return', at: now(), ...(why !== undefined && { why }) });
      if (withinMs !== undefined && why === undefined) {
        this.#isWaiting = true;
        const returned = new AbortController();
        await Promise.all([
          callers.ask(AbortSignal.any([signal, returned.signal])),
          pauseFor(withinMs, signal).finally(() => returned.abort()),
        ]);
        await callers.whenReturned(signal);
      }
      history.append({ kind: 'ended', at: why === undefined ? now() : endedAt });
    } finally {
      this.#listening.abort();
      enough.abort();
    }
  }

  /** Why the run does not wait for limits to return; undefined: it does. */
  #whyNoReturn(withinMs: number | undefined): string | undefined {
    return (
      whyDecided(this.#recorded.judge) ??
      (withinMs === undefined
        ? `its window of ${formatDuration(this.#limit.windowMs)} takes longer to end than a run waits`
        : undefined)
    );
  }

  async #send(stop: AbortSignal): Promise<void> {
    // Before the fault, requests would use up the limit, which has to be replenished when it begins.
    if (this.#toolkit.ownLimit) await this.#untilStarted(stop).catch(() => undefined);
    await this.#recorded.callers.traffic(stop);
  }

  /** Notes which pods were restarted in the fault. */
  async #noteRestarts(signal: AbortSignal): Promise<void> {
    const { history } = this.#recorded;
    const { lookAtPods, now } = this.#toolkit;
    await this.#untilStarted(signal);
    const before = await podsNow(lookAtPods, signal);
    await this.#untilAfterEnd(0, signal);
    const pods = restartedSince(before, await podsNow(lookAtPods, signal));
    if (pods.length > 0) history.append({ kind: 'restarted', at: now(), pods });
  }

  async #untilStarted(signal: AbortSignal): Promise<void> {
    while (this.#times.startedAt === undefined) await pauseFor(TICK_MS, signal);
  }

  /** Waits until this many milliseconds after the end of the fault. */
  async #untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { endedAt = Number.POSITIVE_INFINITY } = this.#times;
      const left = endedAt + ms - this.#toolkit.now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }

  get #phase(): Phase {
    if (this.#isWaiting) return 'waiting';
    if (!this.#prepared) return 'before';
    const { endedAt = Number.POSITIVE_INFINITY, startedAt } = this.#times;
    if (startedAt === undefined) return 'before';
    const since = this.#toolkit.now() - endedAt;
    if (since < 0) return 'during';
    return since < parseDuration(this.#parameters.settle) ? 'after' : 'settled';
  }

  /** When the fault is active, or may be. */
  get #times(): Pick<FaultTimes, 'endedAt' | 'startedAt'> {
    const { times } = this.#recorded.history;
    return times.presumed ?? times;
  }

  get #recorded(): Prepared {
    if (!this.#prepared) throw new Error('the workload was not prepared');
    return this.#prepared;
  }
}
