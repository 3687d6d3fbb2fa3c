/** A store outage: what callers experience before, during and after a fault of the store. */
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import { pauseFor, untilAborted } from '../../../waiting.ts';
import { accountsIn, exhaustedIn, MOST_ACCOUNTED, whyNoAccountIn } from '../../checkers/accounts.ts';
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import type { FaultTimes } from '../../history/recorded.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { returnsWithin } from '../../limits/replenish.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { podsNow, restartedSince } from '../../target/pods-now.ts';
import type { Toolkit } from '../../tools.ts';
import { mechanismIn } from '../store-fault.ts';
import type { Recording, Settled, Stage, Workload } from '../workload.ts';
import { whyDecided } from './judge.ts';
import { OutageCallers } from './outage-callers.ts';
import {
  crossingOf,
  parametersOf,
  type StoreOutageSpec,
  sendAfterMs,
  storyMs,
  windowsEnd,
} from './parameters.ts';
import { outageWords } from './words.ts';

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
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();
  #isWatched = false;

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
    const { limiter, ownLimit, target } = this.#toolkit;
    return new OutageCallers({
      toolkit: this.#toolkit,
      fixture,
      requestsPerSecond,
      callerTimeoutMs: parseDuration(callerTimeout),
      crossing: ownLimit ? 0 : crossingOf(this.#scenario, limiter, target.pods.length),
      trafficMs: 2 * storyMs(this.#scenario, limiter),
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
   * to recover has ended; then the outcomes are judged. If there is no violation by then, some use their limits up, and
   * the run checks whether they get them back.
   */
  async watch(signal: AbortSignal): Promise<void> {
    const { callers, history, judge } = this.#recorded;
    if (history.last('traffic-ended')) return;
    const { now } = this.#toolkit;
    this.#isWatched = true;
    const enough = new AbortController();
    const stop = AbortSignal.any([signal, enough.signal]);
    try {
      const sent = Promise.all([this.#send(stop), this.#cross(stop), this.#useAccounts(signal)]);
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
      this.#listening.abort();
      const endedAt = now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...replaced] });
      await this.#settleAccounts(signal);
      const withinMs = returnsWithin(this.#limit);
      const why = whyDecided(judge) ?? this.#whyNoReturn(withinMs);
      const keys = why === undefined ? [...exhaustedIn(judge.state)] : [];
      history.append({ kind: 'return', at: now(), keys, ...(why !== undefined && { why }) });
      if (why === undefined) await callers.sendWhenReturned(keys, withinMs ?? 0, signal);
      history.append({ kind: 'ended', at: why === undefined ? now() : endedAt });
    } finally {
      this.#listening.abort();
      enough.abort();
      this.#isWatched = false;
    }
  }

  /** Uses up the remaining limits of the accounts, if that can show anything. */
  async #settleAccounts(signal: AbortSignal): Promise<void> {
    const { now } = this.#toolkit;
    const { callers, history, judge } = this.#recorded;
    history.append({ kind: 'accounts', at: now(), keys: callers.accountKeys });
    if (whyNoAccountIn(judge.state) === undefined) await callers.exhaustAccounts(signal);
    history.append({ kind: 'accounts-ended', at: now() });
  }

  /** Why the run does not wait for the limit to return; undefined: it does. */
  #whyNoReturn(withinMs: number | undefined): string | undefined {
    if (withinMs === undefined) {
      return `its window of ${formatDuration(this.#limit.windowMs)} takes longer to end than a run waits`;
    }
    if (exhaustedIn(this.#recorded.judge.state).length > 0) return undefined;
    return admittedAtOnce(this.#limit) > MOST_ACCOUNTED
      ? `limits above ${MOST_ACCOUNTED} are not used up after the fault`
      : 'no caller could use its limit up after the fault';
  }

  /** Violations may be known earlier: the watch continues until the counts are reconciled. */
  async settle(_: number, signal: AbortSignal): Promise<Settled> {
    const { judge } = this.#recorded;
    while (this.#isWatched && !accountsIn(judge.state)) await pauseFor(TICK_MS, signal);
    const accounts = accountsIn(judge.state);
    return {
      message: accounts
        ? outageWords(accounts.found)
        : 'its counts were not reconciled, since the watch over its callers was cut short',
    };
  }

  /** During the fault, once its first requests are answered or waiting. */
  async #useAccounts(signal: AbortSignal): Promise<void> {
    if (this.#toolkit.ownLimit) return;
    const { callers, history } = this.#recorded;
    await this.#untilStarted(signal);
    await pauseFor((history.times.until - this.#toolkit.now()) / 4, signal);
    await callers.useAccounts(signal);
  }

  async #send(stop: AbortSignal): Promise<void> {
    // Before the fault, requests would use up the limit, which has to be replenished when it begins.
    if (this.#toolkit.ownLimit) await this.#untilStarted(stop).catch(() => undefined);
    await this.#recorded.callers.traffic(stop);
  }

  /**
   * From the start of the fault to its end: callers that cross their limits meet a limiter without its Redis. After a
   * failover until the end of the traffic: only then do they meet one whose Redis lacks their counts.
   */
  async #cross(stop: AbortSignal): Promise<void> {
    if (this.#toolkit.ownLimit) return;
    const { callers } = this.#recorded;
    const over = new AbortController();
    try {
      await this.#untilStarted(stop);
      const crossing = callers.cross(AbortSignal.any([stop, over.signal]));
      const isForked = mechanismIn(this.#parameters.fault, this.#toolkit.limiter).lasts === 'ForGood';
      await (isForked ? untilAborted(stop) : this.#untilAfterEnd(0, stop));
      over.abort();
      await crossing;
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      over.abort();
    }
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
