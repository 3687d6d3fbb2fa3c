/** A store outage: what callers experience before, during and after a fault of the store. */
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import { MOST_ACCOUNTED, whyNoAccount } from '../../checkers/accounts.ts';
import type { CallerRequest, LateAnswer } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { replacedPods } from '../../replaced-pods.ts';
import type { Toolkit } from '../../tools.ts';
import { pauseFor } from '../../waiting.ts';
import type { Recording, Settled, Stage, Workload } from '../workload.ts';
import type { OutageJudge } from './judge.ts';
import { OutageCallers } from './outage-callers.ts';
import { OwnCaller } from './own-caller.ts';
import { crossingOf, parametersOf, type StoreOutageSpec, storyMs, windowsEnd } from './parameters.ts';

/** Polling interval for the start and the end of the fault; milliseconds. */
const TICK_MS = 100;
/** How long a key can be used if no end of a window matters; milliseconds. */
const NO_WINDOW_MS = 600_000;

/** What `prepare` made. */
interface Prepared extends Recording<OutageJudge> {
  readonly callers: OutageCallers | OwnCaller;
}

export class OutageWorkload implements Workload<OutageJudge> {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #access: CallerAccess;
  readonly #limit: RateLimit;
  readonly #parameters: StoreOutageSpec;
  #prepared: Prepared | undefined;
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();
  #isWatched = false;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit, access: CallerAccess) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#access = access;
    this.#limit = access.limit;
    this.#parameters = parametersOf(scenario);
  }

  /** Uses the limit of one caller up, and has requests of others admitted: both must work before a fault. */
  async prepare(
    fixture: string,
    stage: Stage<OutageJudge>,
    signal: AbortSignal,
  ): ReturnType<Workload['prepare']> {
    const { limiter, now, ownLimit, target } = this.#toolkit;
    const { windowMs } = this.#limit;
    const takesMs = storyMs(this.#scenario, limiter);
    const anyWindow = windowsEnd(this.#scenario, limiter);
    const callers = this.#callersOf(fixture);
    // Its cool-downs take longer than a check of Redis stays true.
    const before = callers instanceof OwnCaller ? await callers.control(signal) : [];
    // As much of it as fits: of one caller not even all of that is needed.
    const needMs = Math.min(takesMs, windowMs - 2 * CLOCK_WITHIN_MS);
    if (!anyWindow) await untilItFits(this.#limit, needMs, now, signal);
    await stage.admit(2 * Math.max(windowMs, takesMs), signal);
    const prepared = { ...stage.record(), callers };
    this.#prepared = prepared;
    for (const request of before) prepared.history.request(request);
    const knownUntil =
      callers instanceof OwnCaller ? undefined : await this.#introduce(prepared, callers, signal);
    const { preparedAt } = prepared.history.setup;
    const windowEnds = anyWindow ? undefined : windowEnd(this.#limit, preparedAt);
    // The window of the one caller begins with the fault.
    const noWindow = anyWindow || this.#limit.algorithm === 'TokenBucket' || ownLimit;
    const lasts = noWindow ? NO_WINDOW_MS : windowMs;
    const full = counted(admittedAtOnce(this.#limit), 'request');
    const pods = counted(target.nodes.length, 'pod');
    return {
      fixture,
      usableUntil: Math.floor(knownUntil ?? windowEnds ?? preparedAt + lasts),
      message: ownLimit
        ? `The operator's address: ${full} admitted and then rejected by ${pods}, and the limit is replenished`
        : `Callers ${fixture}-...: ${full} admitted and then rejected, others admitted by ${pods}`,
    };
  }

  /** Makes the callers known and the controls with them; those are forgotten again where that fails. */
  async #introduce(
    { history }: Prepared,
    callers: OutageCallers,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const knownUntil = await callers.introduce(signal);
    try {
      await callers.control((request) => history.request(request), signal);
    } catch (error) {
      await callers.forget();
      throw error;
    }
    return knownUntil;
  }

  #callersOf(fixture: string): OutageCallers | OwnCaller {
    const { limiter, ownLimit, room, target } = this.#toolkit;
    const { callerTimeout, requestsPerSecond } = this.#parameters;
    const options = {
      access: this.#access,
      fixture,
      requestsPerSecond,
      callerTimeoutMs: parseDuration(callerTimeout),
      room,
      leftOut: () => this.#prepared?.history.append({ kind: 'left-out', requests: 1 }),
      late: {
        hear: (request: CallerRequest, late: LateAnswer) => this.#prepared?.history.late(request, late),
        until: this.#listening.signal,
      },
    };
    return ownLimit
      ? new OwnCaller({ ...options, ownLimit })
      : new OutageCallers({
          ...options,
          crossing: crossingOf(this.#scenario, limiter, target.nodes.length),
          trafficMs: 2 * storyMs(this.#scenario, limiter),
        });
  }

  async arrive(signal: AbortSignal): Promise<undefined> {
    const { callers, history } = this.#recorded;
    if (!(callers instanceof OwnCaller)) return;
    history.append({ kind: 'arrived', at: this.#toolkit.now() });
    await callers.arrive((request) => history.request(request), signal);
  }

  /**
   * Callers send from the start of the watch, or of the fault if one has its limit for all of it, to the end of the
   * time to settle; then what they got is judged. If nothing is broken by then, some use their limits up, and the run
   * checks whether they get them back.
   */
  async watch(signal: AbortSignal): Promise<void> {
    const prepared = this.#recorded;
    if (prepared.history.last('traffic-ended')) return;
    const { callers, history, judge } = prepared;
    this.#isWatched = true;
    const enough = new AbortController();
    const stop = AbortSignal.any([signal, enough.signal]);
    try {
      const traffic = this.#send(prepared, stop);
      const crossing = this.#cross(prepared, stop);
      const accounts = this.#askForAccounts(prepared, signal);
      const sent = Promise.all([traffic, crossing, accounts]);
      // If the watch ends before them, their outcome is not read.
      sent.catch(() => undefined);
      const settleMs = parseDuration(this.#parameters.settle);
      // The last callers have their answers, or have given up, when the watch ends.
      await this.#untilAfterEnd(settleMs - parseDuration(this.#parameters.callerTimeout), signal);
      enough.abort();
      await sent;
      const [moved] = await Promise.all([
        replacedPods(this.#toolkit.findReplacedPods, signal),
        this.#untilAfterEnd(settleMs, signal),
      ]);
      this.#listening.abort();
      const endedAt = this.#toolkit.now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...moved] });
      await this.#settleAccounts(prepared, signal);
      const why = judge.judged.decided ?? this.#whyNoReturn(judge);
      const keys = why === undefined ? [...judge.exhausted] : [];
      history.append({
        kind: 'return',
        at: this.#toolkit.now(),
        keys,
        ...(why !== undefined && { why }),
      });
      if (why === undefined) {
        const withinMs = this.#access.returnsWithinMs ?? 0;
        await callers.sendWhenReturned(keys, withinMs, (request) => history.request(request), signal);
      }
      history.append({ kind: 'ended', at: why === undefined ? this.#toolkit.now() : endedAt });
    } finally {
      this.#listening.abort();
      enough.abort();
      this.#isWatched = false;
    }
  }

  /** Uses up what is left to the callers of the accounts, if that can show anything. */
  async #settleAccounts({ callers, history, judge }: Prepared, signal: AbortSignal): Promise<void> {
    const well = judge.isWell;
    const canShow =
      callers instanceof OwnCaller
        ? whyNoAccount({ limit: this.#limit, well }, judge.ofOneLimit) === undefined
        : well;
    history.append({ kind: 'accounts', at: this.#toolkit.now(), keys: callers.accountKeys });
    if (canShow) await callers.exhaustAccounts((request) => history.request(request), signal);
    history.append({ kind: 'accounts-ended', at: this.#toolkit.now() });
  }

  /** Why the run does not wait for a limit to be returned; undefined: it does. */
  #whyNoReturn(judge: OutageJudge): string | undefined {
    if (this.#access.returnsWithinMs === undefined) {
      return !this.#access.reference
        ? `its window of ${formatDuration(this.#limit.windowMs)} takes longer to end than a run waits`
        : 'the run itself makes the windows of the reference limiter';
    }
    if (judge.exhausted.length > 0) return undefined;
    return admittedAtOnce(this.#limit) > MOST_ACCOUNTED
      ? `limits above ${MOST_ACCOUNTED} are not used up after the pause`
      : 'no caller could use its limit up after the pause';
  }

  /** Violations may be known before: the watch continues until the counts are reconciled. */
  async settle(_: number, signal: AbortSignal): Promise<Settled> {
    const { judge } = this.#recorded;
    while (this.#isWatched && !judge.accounts) await pauseFor(TICK_MS, signal);
    const { message = 'its counts were not reconciled, since the watch over its callers was cut short' } =
      judge.accounts ?? {};
    return { message };
  }

  /** In the midst of the fault, once its first requests are answered or waiting. */
  async #askForAccounts({ callers, history }: Prepared, signal: AbortSignal): Promise<void> {
    if (callers instanceof OwnCaller) return;
    await this.#untilStarted(history, signal);
    await pauseFor((history.times.until - this.#toolkit.now()) / 4, signal);
    await callers.askForAccounts((request) => history.request(request), signal);
  }

  async #send({ callers, history }: Prepared, stop: AbortSignal): Promise<void> {
    // Before it the limit would be used up that the fault is to find replenished.
    if (callers instanceof OwnCaller) await this.#untilStarted(history, stop).catch(() => undefined);
    await callers.traffic((request) => history.request(request), stop, this.#toolkit.lifetime);
  }

  /** From the start of the fault to its end: those that cross their limits find the limiter without its Redis. */
  async #cross({ callers, history }: Prepared, stop: AbortSignal): Promise<void> {
    if (callers instanceof OwnCaller) return;
    const over = new AbortController();
    const note = (request: CallerRequest): void => history.request(request);
    try {
      await this.#untilStarted(history, stop);
      const crossing = callers.cross(note, AbortSignal.any([stop, over.signal]), this.#toolkit.lifetime);
      while (history.times.endedAt === undefined && !stop.aborted) await pauseFor(TICK_MS, stop);
      over.abort();
      await crossing;
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      over.abort();
    }
  }

  async #untilStarted(history: History, signal: AbortSignal): Promise<void> {
    while (history.times.startedAt === undefined) await pauseFor(TICK_MS, signal);
  }

  /** Waits until so many milliseconds after the end of the fault. */
  async #untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    const { now } = this.#toolkit;
    for (;;) {
      const { endedAt } = this.#prepared?.history.times ?? {};
      const left = endedAt === undefined ? Number.POSITIVE_INFINITY : endedAt + ms - now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }

  get #recorded(): Prepared {
    if (!this.#prepared) throw new Error('the workload was not prepared');
    return this.#prepared;
  }
}
