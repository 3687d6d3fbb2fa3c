/** One attempt of a store outage: what callers get before, during and after a pause of Redis. */
import { counted, formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import type { CallerRequest, LateAnswer } from '../../interfaces/caller-request.ts';
import { leftOutShortfall } from '../../interfaces/traffic-room.ts';
import { admittedAtOnce, mostAdmitted, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { movedBy } from '../../still-there.ts';
import { proveWrite } from '../../store/write-probe.ts';
import { pauseFor, untilAborted } from '../../waiting.ts';
import type { FaultAttempt, Preparation, Toolkit } from '../fault.ts';
import { PauseNotSentError } from '../redis-pause/pause.ts';
import { StorePause } from '../redis-pause/store-pause.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { crossingCallers } from './crossing-callers.ts';
import type { LimitReturn } from './limit-return.ts';
import { OutageCallers } from './outage-callers.ts';
import { OutageRecord, type OutageTimes } from './outage-record.ts';
import { OwnCaller } from './own-caller.ts';
import { parametersOf, requestsInFault, type StoreOutageSpec } from './parameters.ts';
import { seenInvariant } from './seen-invariant.ts';

/** How often it is looked whether the fault has begun, or ended; milliseconds. */
const TICK_MS = 100;
/** How long a key can be used whose limit has no windows; milliseconds. */
const NO_WINDOW_MS = 600_000;

/** What became of the counts of some callers once the fault was over. */
type Accounts = Pick<RecoveryReport, 'measures' | 'message'>;

/** Everything of one fixture. */
interface Place {
  readonly fixture: string;
  readonly record: OutageRecord;
  readonly timeline: Timeline;
  readonly callers: OutageCallers | OwnCaller;
  /** The most that the caller beyond its limit may have been let through until then. */
  readonly mostUntil: (to: number) => number;
}

export class StoreOutageAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #access: CallerAccess;
  readonly #pause: StorePause;
  readonly #limit: RateLimit;
  readonly #parameters: StoreOutageSpec;
  #place: Place | undefined;
  #times: OutageTimes = { until: Number.POSITIVE_INFINITY };
  #finishedAt: number | undefined;
  #limitReturn: LimitReturn | undefined;
  #accounts: Accounts | undefined;
  /** Ends the listening to requests whose callers gave up. */
  readonly #listening = new AbortController();
  /** When the one caller came whose limit was whole by then. */
  #arrivedAt: number | undefined;
  /** Requests for which there was no room. */
  #leftOut = 0;
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
    const { now, ownLimit, target, usualWriteMs } = this.#toolkit;
    const { windowMs } = this.#limit;
    const callers = this.#callersOf(fixture);
    // Its rests take longer than a look at Redis stays true.
    const before = callers instanceof OwnCaller ? await callers.control(signal) : [];
    await untilItFits(this.#limit, this.#storyMs, now, signal);
    const admitted = await this.#pause.prepare(2 * windowMs, signal);
    if ('refused' in admitted) return admitted;
    const firstSentAt = now();
    const { accept, callerTimeout } = this.#parameters;
    const settings = {
      nodes: target.nodes.map(({ name }) => name),
      limit: this.#limit,
      callerTimeoutMs: parseDuration(callerTimeout),
      ...(ownLimit ? { oneLimitFrom: firstSentAt } : { firstSentAt }),
      clockWithinMs: CLOCK_WITHIN_MS,
    };
    const timeline = new Timeline(target, firstSentAt);
    timeline.usualWrites(firstSentAt, usualWriteMs() > 0 ? [usualWriteMs()] : []);
    const mostUntil = (to: number): number =>
      mostAdmitted(this.#limit, {
        from: ownLimit ? (this.#arrivedAt ?? to) : firstSentAt,
        to,
        fresh: true,
        clockWithinMs: CLOCK_WITHIN_MS,
      });
    timeline.limit(firstSentAt, mostUntil(firstSentAt));
    const place: Place = {
      fixture,
      mostUntil,
      record: new OutageRecord(settings, accept),
      timeline,
      callers,
    };
    this.#place = place;
    for (const request of before) place.record.add(request);
    const knownUntil =
      callers instanceof OwnCaller ? undefined : await this.#introduce(place, callers, signal);
    this.#pause.prepared();
    const windowEnds = windowEnd(this.#limit, firstSentAt);
    // The window of the one caller begins with the fault.
    const lasts = this.#limit.algorithm === 'TokenBucket' || ownLimit ? NO_WINDOW_MS : windowMs;
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
      await callers.control((request) => this.#note(place, request), signal);
    } catch (error) {
      await callers.forget();
      throw error;
    }
    return knownUntil;
  }

  #callersOf(fixture: string): OutageCallers | OwnCaller {
    const { ownLimit, room, target } = this.#toolkit;
    const inFault = requestsInFault(this.#scenario) * target.nodes.length;
    const { callerTimeout, excludesAbove, requestsPerSecond } = this.#parameters;
    const options = {
      access: this.#access,
      fixture,
      requestsPerSecond,
      callerTimeoutMs: parseDuration(callerTimeout),
      room,
      leftOut: () => {
        this.#leftOut += 1;
      },
      late: {
        hear: (request: CallerRequest, late: LateAnswer) => this.#noteLate(request, late),
        until: this.#listening.signal,
      },
    };
    return ownLimit
      ? new OwnCaller({ ...options, ownLimit })
      : new OutageCallers({
          ...options,
          crossing: crossingCallers(this.#limit, inFault, excludesAbove),
          trafficMs: 2 * this.#storyMs,
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
    if (place.callers instanceof OwnCaller) {
      this.#arrivedAt = this.#toolkit.now();
      await place.callers.arrive((request) => this.#note(place, request), signal);
    }
    this.#times = { until: moment.until };
    const listener = {
      timeline: place.timeline,
      doubted: (at: number) => {
        this.#times = { ...this.#times, doubtfulFrom: this.#times.doubtfulFrom ?? at };
      },
    };
    const report = await this.#pause.inject(moment, listener, permit, signal);
    this.#reported(report);
    return report;
  }

  async awaitEnd(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    if (!this.#pause.isOn || !this.#place) return await untilAborted(signal);
    const report = await this.#pause.awaitEnd(this.#place.timeline, signal);
    this.#reported(report);
    tell(report);
  }

  /**
   * Callers send from the start of the watch, or of the fault if one has its limit for all of it, to the end of the
   * time to settle; then it is judged what they got. If nothing is broken by then, it is looked whether some that use
   * their limits up get them back.
   */
  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const place = this.#place;
    if (!place || this.#finishedAt !== undefined) return await untilAborted(signal);
    this.#tell = tell;
    const enough = new AbortController();
    const watching = new AbortController();
    const store = watchStore(
      this.#toolkit,
      () => [place.timeline],
      AbortSignal.any([signal, watching.signal]),
    );
    try {
      const traffic = this.#ask(place, AbortSignal.any([signal, enough.signal]));
      const crossing = this.#cross(place, AbortSignal.any([signal, enough.signal]));
      const accounts = this.#useAccounts(place, signal);
      const asked = Promise.all([traffic, crossing, accounts]);
      // Where the watch is ended before them, nobody asks how they ended.
      asked.catch(() => undefined);
      const settleMs = parseDuration(this.#parameters.settle);
      // The last callers have their answers, or have given up, when the watch ends.
      await this.#untilAfterEnd(settleMs - parseDuration(this.#parameters.callerTimeout), signal);
      enough.abort();
      await asked;
      const [moved] = await Promise.all([
        movedBy(this.#toolkit.findMoved, signal),
        this.#untilAfterEnd(settleMs, signal),
      ]);
      this.#listening.abort();
      place.record.setAside(moved);
      this.#finishedAt = this.#toolkit.now();
      this.#told();
      const recovered = place.record.recovery(this.#times)?.state === 'Recovered';
      this.#accounts =
        place.callers instanceof OwnCaller
          ? await place.callers.balance(place.record.ofOneLimit, recovered, signal)
          : await place.callers.balance(recovered, signal);
      const why = place.record.decided(this.#times, this.#finishedAt);
      this.#limitReturn =
        why === undefined ? await this.#awaitReturn(place, signal) : { state: 'NotChecked', why };
      if (why === undefined) this.#finishedAt = this.#toolkit.now();
      this.#told();
    } finally {
      this.#listening.abort();
      enough.abort();
      watching.abort();
      await store;
      this.#tell = undefined;
    }
  }

  async #awaitReturn({ callers }: Place, signal: AbortSignal): Promise<LimitReturn> {
    const { returnsWithinMs } = this.#access;
    if (returnsWithinMs !== undefined) return await callers.limitReturn(returnsWithinMs, signal);
    const why = !this.#access.reference
      ? `its window of ${formatDuration(this.#limit.windowMs)} takes longer to end than a run waits`
      : 'the run itself makes the windows of the reference limiter';
    return { state: 'NotChecked', why };
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis, timeoutMs } = this.#toolkit;
    const left = Number.isFinite(this.#times.until) ? Math.max(0, this.#times.until - now()) : 0;
    const workedAt = await proveWrite(redis, left + timeoutMs + settleMs, now, signal);
    if (workedAt === undefined) {
      const message = `${redis.name} took no write: check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE`;
      return { measures: [], message };
    }
    const accepted = `${redis.name} takes writes again (a real one was accepted)`;
    // What was broken may be known before: the watch goes on until the counts are reconciled.
    while (this.#tell && !this.#accounts) await pauseFor(TICK_MS, signal);
    const { measures, message } = this.#accounts ?? {
      measures: [],
      message: 'its counts were not reconciled, since the watch over its callers broke off',
    };
    return { workedAt, measures, message: `${accepted}; ${message}` };
  }

  evidence(): FaultEvidence | undefined {
    const { timeline } = this.#place ?? {};
    if (!timeline) return undefined;
    const { endedAt, startedAt: originMs = timeline.startedAt } = this.#times;
    const seenEnd = endedAt === undefined ? {} : { endedAt };
    const bundle = timeline.bundle(originMs, this.#invariant);
    return { originMs, ...seenEnd, pods: timeline.pods, bands: [], bundle };
  }

  get timelines(): readonly Timeline[] {
    return this.#place ? [this.#place.timeline] : [];
  }

  get #invariant(): SeenInvariant | undefined {
    const { record } = this.#place ?? {};
    const reading = record?.reading(this.#times, this.#finishedAt, this.#limitReturn);
    const who = this.#toolkit.ownLimit && 'within';
    return reading && seenInvariant(reading, this.#parameters.accept, record?.excess(this.#times), who);
  }

  async inquire(marker: string): Promise<OrphanFinding> {
    return await this.#pause.inquire(marker);
  }

  /** From the first request to the last of the accounts. */
  get #storyMs(): number {
    const { callerTimeout, pause, settle } = this.#parameters;
    const { countdown } = this.#scenario;
    const parts = [pause, settle, settle, callerTimeout, callerTimeout, countdown];
    // Not less than the story of the fault (index.ts): a fixture that is usable for less is refused.
    return parts.reduce((sum, part) => sum + parseDuration(part), this.#toolkit.timeoutMs);
  }

  /** In the midst of the fault, once its first requests are answered or waiting. */
  async #useAccounts({ callers }: Place, signal: AbortSignal): Promise<void> {
    if (callers instanceof OwnCaller) return;
    await this.#untilStarted(signal);
    await pauseFor((this.#times.until - this.#toolkit.now()) / 4, signal);
    await callers.askForAccounts(signal);
  }

  async #ask(place: Place, stop: AbortSignal): Promise<void> {
    const { callers } = place;
    // Before it the limit would be used up that the fault is to find whole.
    if (callers instanceof OwnCaller) await this.#untilStarted(stop).catch(() => undefined);
    await callers.traffic((request) => this.#note(place, request), stop, this.#toolkit.lifetime);
  }

  /** From the start of the fault to its end: those that cross their limits find the limiter without its Redis. */
  async #cross(place: Place, stop: AbortSignal): Promise<void> {
    const { callers } = place;
    if (callers instanceof OwnCaller) return;
    const over = new AbortController();
    const note = (request: CallerRequest): void => this.#note(place, request);
    try {
      await this.#untilStarted(stop);
      const crossing = callers.cross(note, AbortSignal.any([stop, over.signal]), this.#toolkit.lifetime);
      while (this.#times.endedAt === undefined && !stop.aborted) await pauseFor(TICK_MS, stop);
      over.abort();
      await crossing;
    } catch (error) {
      if (!stop.aborted) throw error;
    } finally {
      over.abort();
    }
  }

  async #untilStarted(signal: AbortSignal): Promise<void> {
    while (this.#times.startedAt === undefined) await pauseFor(TICK_MS, signal);
  }

  /** Where one caller makes all requests, the limit is about each of them. */
  #note({ mostUntil, record, timeline }: Place, request: CallerRequest): void {
    record.add(request);
    timeline.request(request);
    if (request.caller === 'Beyond') timeline.limit(request.endedAt, mostUntil(request.endedAt));
  }

  #noteLate(request: CallerRequest, late: LateAnswer): void {
    const { record, timeline } = this.#place ?? {};
    record?.addLate(request, late);
    timeline?.late(request, late);
  }

  #reported({ endedAt, startedAt }: FaultReport): void {
    this.#times = {
      ...this.#times,
      ...(startedAt !== undefined && { startedAt }),
      ...(endedAt !== undefined && { endedAt }),
    };
    this.#told();
  }

  #told(): void {
    if (!this.#place) return;
    const reading = this.#place.record.reading(this.#times, this.#finishedAt, this.#limitReturn);
    const doubt = this.#toolkit.storeDoubt();
    const missing = [
      // Whoever counts elsewhere holds whatever becomes of this Redis.
      ...(doubt === undefined ? [] : [doubt]),
      ...reading.shortfalls,
      ...(this.#leftOut > 0 ? [leftOutShortfall(this.#leftOut)] : []),
    ];
    this.#tell?.({ ...reading, shortfalls: missing });
  }

  /** Waits until so many milliseconds after the end of the fault. */
  async #untilAfterEnd(ms: number, signal: AbortSignal): Promise<void> {
    const { now } = this.#toolkit;
    for (;;) {
      const { endedAt } = this.#times;
      const left = endedAt === undefined ? Number.POSITIVE_INFINITY : endedAt + ms - now();
      if (left <= 0) return;
      await pauseFor(Math.min(left, TICK_MS), signal);
    }
  }
}
