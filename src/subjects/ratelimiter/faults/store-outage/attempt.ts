/** One attempt of a store outage: what callers get before, during and after a pause of Redis. */
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import { MOST_ACCOUNTED, whyNoAccount } from '../../checkers/accounts.ts';
import { seenInvariant } from '../../checkers/outage-formula.ts';
import type { CallerRequest, LateAnswer, ProbeEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { admittedAtOnce, mostAdmitted, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { movedBy } from '../../still-there.ts';
import { proveWrite } from '../../store/write-probe.ts';
import type { Toolkit } from '../../tools.ts';
import { pauseFor, untilAborted } from '../../waiting.ts';
import type { FaultAttempt, ObservedEvent, Preparation } from '../fault.ts';
import { PauseNotSentError } from '../redis-pause/pause.ts';
import { StorePause } from '../redis-pause/store-pause.ts';
import { isOfOneCaller } from '../rests.ts';
import { faultEvent, setupOf } from '../setup.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { OutageJudge } from './judge.ts';
import { OutageCallers } from './outage-callers.ts';
import { OwnCaller } from './own-caller.ts';
import { crossingOf, parametersOf, type StoreOutageSpec, storyMs, windowsEnd } from './parameters.ts';

/** How often it is looked whether the fault has begun, or ended; milliseconds. */
const TICK_MS = 100;
/** How long a key can be used if no end of a window matters; milliseconds. */
const NO_WINDOW_MS = 600_000;

/** Everything of one fixture. */
interface Place {
  readonly fixture: string;
  readonly history: History;
  readonly judge: OutageJudge;
  readonly timeline: Timeline;
  readonly callers: OutageCallers | OwnCaller;
}

export class StoreOutageAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #access: CallerAccess;
  readonly #pause: StorePause;
  readonly #limit: RateLimit;
  readonly #parameters: StoreOutageSpec;
  #place: Place | undefined;
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit, access: CallerAccess) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#access = access;
    this.#pause = new StorePause(toolkit);
    this.#limit = access.limit;
    this.#parameters = parametersOf(scenario);
  }

  /** Uses the limit of one caller up and lets others in: both have to work before anything is paused. */
  async prepare(fixture: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, now, ownLimit, target, usualWriteMs } = this.#toolkit;
    const { windowMs } = this.#limit;
    const takesMs = storyMs(this.#scenario, limiter);
    const anyWindow = windowsEnd(this.#scenario, limiter);
    const callers = this.#callersOf(fixture);
    // Its rests take longer than a look at Redis stays true.
    const before = callers instanceof OwnCaller ? await callers.control(signal) : [];
    // As much of it as fits: of one caller not even all of that is needed.
    const needMs = Math.min(takesMs, windowMs - 2 * CLOCK_WITHIN_MS);
    if (!anyWindow) await untilItFits(this.#limit, needMs, now, signal);
    const admitted = await this.#pause.prepare(2 * Math.max(windowMs, takesMs), signal);
    if ('refused' in admitted) return admitted;
    const firstSentAt = now();
    const history = new History(setupOf(this.#scenario, this.#toolkit, { fixture, preparedAt: firstSentAt }));
    const timeline = new Timeline(target, firstSentAt);
    timeline.usualWrites(firstSentAt, usualWriteMs() > 0 ? [usualWriteMs()] : []);
    const place: Place = { fixture, history, judge: new OutageJudge(history), timeline, callers };
    this.#place = place;
    // The limit was replenished since, so the evidence of the fault begins after that.
    for (const request of before) history.request(request);
    showIn(timeline, history);
    const knownUntil =
      callers instanceof OwnCaller ? undefined : await this.#introduce(place, callers, signal);
    this.#pause.prepared();
    const windowEnds = anyWindow ? undefined : windowEnd(this.#limit, firstSentAt);
    // The window of the one caller begins with the fault.
    const noWindow = anyWindow || this.#limit.algorithm === 'TokenBucket' || ownLimit;
    const lasts = noWindow ? NO_WINDOW_MS : windowMs;
    const full = counted(admittedAtOnce(this.#limit), 'request');
    const nodes = counted(target.nodes.length, 'node');
    return {
      prepared: {
        fixture,
        ...admitted,
        usableUntil: Math.floor(knownUntil ?? windowEnds ?? firstSentAt + lasts),
        message: ownLimit
          ? `The operator's address: ${full} let through and then denied by ${nodes}, and the limit is whole again`
          : `Callers ${fixture}-...: ${full} let through and then denied, others let through by ${nodes}`,
      },
    };
  }

  /** Makes the callers known and the controls with them; those are forgotten again where that fails. */
  async #introduce(place: Place, callers: OutageCallers, signal: AbortSignal): Promise<number | undefined> {
    const knownUntil = await callers.introduce(signal);
    try {
      await callers.control((request) => place.history.request(request), signal);
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
      leftOut: () => this.#place?.history.append({ kind: 'left-out', requests: 1 }),
      late: {
        hear: (request: CallerRequest, late: LateAnswer) => this.#place?.history.late(request, late),
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

  async inject(
    moment: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const place = this.#place;
    if (!place) throw new PauseNotSentError('its callers were not set up by this process');
    await this.#pause.requireSameRedis();
    const { callers, history } = place;
    if (callers instanceof OwnCaller) {
      history.append({ kind: 'arrived', at: this.#toolkit.now() });
      await callers.arrive((request) => history.request(request), signal);
    }
    history.append({ kind: 'fault', step: 'Planned', at: moment.plannedAt, until: moment.until });
    const listener = {
      record: (event: ProbeEvent) => history.append(event),
      doubted: (at: number) => history.append({ kind: 'fault', step: 'Doubted', at }),
    };
    const report = await this.#pause.inject(moment, listener, permit, signal);
    this.#reported(report);
    return report;
  }

  async awaitEnd(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const { history } = this.#place ?? {};
    if (!this.#pause.isOn || !history) return await untilAborted(signal);
    const report = await this.#pause.awaitEnd((event) => history.append(event), signal);
    this.#reported(report);
    tell(report);
  }

  /**
   * Callers send from the start of the watch, or of the fault if one has its limit for all of it, to the end of the
   * time to settle; then what they got is judged. If nothing is broken by then, some use their limits up, and the run
   * checks whether they get them back.
   */
  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const place = this.#place;
    if (!place || place.history.last('traffic-ended')) return await untilAborted(signal);
    const { callers, history, judge } = place;
    this.#tell = tell;
    const enough = new AbortController();
    const watching = new AbortController();
    const store = watchStore(
      this.#toolkit,
      (event) => history.append(event),
      AbortSignal.any([signal, watching.signal]),
    );
    try {
      const traffic = this.#send(place, AbortSignal.any([signal, enough.signal]));
      const crossing = this.#cross(place, AbortSignal.any([signal, enough.signal]));
      const accounts = this.#askForAccounts(place, signal);
      const sent = Promise.all([traffic, crossing, accounts]);
      // If the watch is ended before them, nobody reads how they ended.
      sent.catch(() => undefined);
      const settleMs = parseDuration(this.#parameters.settle);
      // The last callers have their answers, or have given up, when the watch ends.
      await this.#untilAfterEnd(settleMs - parseDuration(this.#parameters.callerTimeout), signal);
      enough.abort();
      await sent;
      const [moved] = await Promise.all([
        movedBy(this.#toolkit.findMoved, signal),
        this.#untilAfterEnd(settleMs, signal),
      ]);
      this.#listening.abort();
      const endedAt = this.#toolkit.now();
      history.append({ kind: 'traffic-ended', at: endedAt, moved: [...moved] });
      this.#told();
      await this.#settleAccounts(place, signal);
      const why = judge.judged.decided ?? this.#whyNoReturn(judge);
      const keys = why === undefined ? [...judge.usedUp] : [];
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
      this.#told();
    } finally {
      this.#listening.abort();
      enough.abort();
      watching.abort();
      await store;
      this.#tell = undefined;
    }
  }

  /** Uses up what is left to the callers of the accounts, if that can show anything. */
  async #settleAccounts({ callers, history, judge }: Place, signal: AbortSignal): Promise<void> {
    const well = judge.isWell;
    const canShow =
      callers instanceof OwnCaller
        ? whyNoAccount({ limit: this.#limit, well }, judge.ofOneLimit) === undefined
        : well;
    history.append({ kind: 'accounts', at: this.#toolkit.now(), keys: callers.accountKeys });
    if (canShow) await callers.useUpAccounts((request) => history.request(request), signal);
    history.append({ kind: 'accounts-ended', at: this.#toolkit.now() });
  }

  /** Why nobody waits for a limit to be returned; undefined: somebody does. */
  #whyNoReturn(judge: OutageJudge): string | undefined {
    if (this.#access.returnsWithinMs === undefined) {
      return !this.#access.reference
        ? `its window of ${formatDuration(this.#limit.windowMs)} takes longer to end than a run waits`
        : 'the run itself makes the windows of the reference limiter';
    }
    if (judge.usedUp.length > 0) return undefined;
    return admittedAtOnce(this.#limit) > MOST_ACCOUNTED
      ? `limits above ${MOST_ACCOUNTED} are not used up after the pause`
      : 'no caller could use its limit up after the pause';
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis, timeoutMs } = this.#toolkit;
    const { history, judge } = this.#place ?? {};
    const { until = Number.POSITIVE_INFINITY } = history?.times ?? {};
    const left = Number.isFinite(until) ? Math.max(0, until - now()) : 0;
    const workedAt = await proveWrite(redis, left + timeoutMs + settleMs, now, signal);
    if (workedAt === undefined) {
      const message = `${redis.name} took no write: check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE`;
      return { measures: [], message };
    }
    history?.append({ kind: 'recovered', at: workedAt });
    const accepted = `${redis.name} takes writes again (a real one was accepted)`;
    // What was broken may be known before: the watch goes on until the counts are reconciled.
    while (this.#tell && !judge?.accounts) await pauseFor(TICK_MS, signal);
    const { measures, message } = judge?.accounts ?? {
      measures: [],
      message: 'its counts were not reconciled, since the watch over its callers broke off',
    };
    return { workedAt, measures, message: `${accepted}; ${message}` };
  }

  evidence(): FaultEvidence | undefined {
    const { history, judge, timeline } = this.#place ?? {};
    if (!history || !judge || !timeline) return undefined;
    const { endedAt, startedAt: originMs = timeline.startedAt } = history.times;
    const seenEnd = endedAt === undefined ? {} : { endedAt };
    const who = this.#toolkit.ownLimit && 'within';
    const { excess } = judge.judged;
    const invariant = seenInvariant(judge.reading(), this.#parameters.accept, excess, who);
    return {
      originMs,
      ...seenEnd,
      pods: timeline.pods,
      bands: [],
      bundle: timeline.bundle(originMs, invariant),
    };
  }

  get history(): History | undefined {
    return this.#place?.history;
  }

  observe(event: ObservedEvent): void {
    this.#place?.history.append(event);
  }

  async inquire(marker: string): Promise<OrphanFinding> {
    return await this.#pause.inquire(marker);
  }

  /** In the midst of the fault, once its first requests are answered or waiting. */
  async #askForAccounts({ callers, history }: Place, signal: AbortSignal): Promise<void> {
    if (callers instanceof OwnCaller) return;
    await this.#untilStarted(history, signal);
    await pauseFor((history.times.until - this.#toolkit.now()) / 4, signal);
    await callers.askForAccounts((request) => history.request(request), signal);
  }

  async #send({ callers, history }: Place, stop: AbortSignal): Promise<void> {
    // Before it the limit would be used up that the fault is to find replenished.
    if (callers instanceof OwnCaller) await this.#untilStarted(history, stop).catch(() => undefined);
    await callers.traffic((request) => history.request(request), stop, this.#toolkit.lifetime);
  }

  /** From the start of the fault to its end: those that cross their limits find the limiter without its Redis. */
  async #cross({ callers, history }: Place, stop: AbortSignal): Promise<void> {
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

  #reported(report: FaultReport): void {
    this.#place?.history.append(faultEvent(report));
    this.#told();
  }

  #told(): void {
    if (this.#place) this.#tell?.(this.#place.judge.reading());
  }

  /** Waits until so many milliseconds after the end of the fault. */
  async #untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    const { now } = this.#toolkit;
    for (;;) {
      const { endedAt } = this.#place?.history.times ?? {};
      const left = endedAt === undefined ? Number.POSITIVE_INFINITY : endedAt + ms - now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }
}

/** Shows a history in the evidence, as it grows. */
function showIn(timeline: Timeline, history: History): void {
  const { clockWithinMs, limiter, preparedAt } = history.setup;
  const limit = limitOf(limiter);
  const oneLimit = isOfOneCaller(limiter);
  /** The most that the caller over its limit may have been admitted until then. */
  const mostUntil = (to: number): number =>
    mostAdmitted(limit, {
      from: oneLimit ? (history.last('arrived')?.at ?? to) : preparedAt,
      to,
      fresh: true,
      clockWithinMs,
    });
  timeline.limit(preparedAt, mostUntil(preparedAt));
  history.listen((event) => {
    timeline.show(event);
    if (event.kind === 'late') {
      const request = history.requests[event.id];
      if (request) timeline.late(request, event);
      // If one caller makes all requests, the limit is about each of them.
    } else if (event.kind === 'request' && event.caller === 'Over') {
      timeline.limit(event.endedAt, mostUntil(event.endedAt));
    }
  });
}
