/** One attempt of a store outage: what callers get before, during and after a pause of Redis. */
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import { controlProblem } from '../../interfaces/http/control-callers.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { useUp } from '../../interfaces/use-up.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { proveWrite } from '../../store/write-probe.ts';
import { pauseFor, untilAborted } from '../../waiting.ts';
import { counted } from '../../words.ts';
import { beyondKey, withinKeys } from '../caller-keys.ts';
import type { FaultAttempt, Preparation, Toolkit } from '../fault.ts';
import { PauseNotSentError } from '../redis-pause/pause.ts';
import { StorePause } from '../redis-pause/store-pause.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { AccountCallers } from './account-callers.ts';
import { LEAST_ASKED, SHARE } from './behaviour.ts';
import { runCallerTraffic } from './caller-traffic.ts';
import { OutageRecord, type OutageTimes } from './outage-record.ts';
import { parametersOf, type StoreOutageSpec } from './parameters.ts';

/** What a caller whose accounts are made up asks for during the fault. */
const ACCOUNT_REQUESTS = 3;
/** Before the fault the limiter may take so many requests more than its limit to be known to deny. */
const MOST_BEYOND = 50;
/** How often it is looked whether the fault has begun, or ended; milliseconds. */
const TICK_MS = 100;
/** How long a key can be used whose limit has no windows; milliseconds. */
const NO_WINDOW_MS = 600_000;

/** Everything of one fixture. */
interface Place {
  readonly fixture: string;
  readonly record: OutageRecord;
  readonly timeline: Timeline;
  /** Keys of callers within their limit that were not used yet. */
  readonly keys: Generator<string>;
  /** The callers whose accounts are made up. */
  readonly accounts: AccountCallers;
}

export class StoreOutageAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #pause: StorePause;
  readonly #limit: RateLimit;
  readonly #parameters: StoreOutageSpec;
  #place: Place | undefined;
  #times: OutageTimes = { until: Number.POSITIVE_INFINITY };
  #finishedAt: number | undefined;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#pause = new StorePause(toolkit);
    this.#limit = limitOf(toolkit.limiter);
    this.#parameters = parametersOf(scenario);
  }

  /** Uses the limit of one caller up and lets others in: both have to work before anything is paused. */
  async prepare(fixture: string, signal: AbortSignal): Promise<Preparation> {
    const { now, target, usualWriteMs } = this.#toolkit;
    const { windowMs } = this.#limit;
    await untilItFits(this.#limit, this.#storyMs, now, signal);
    const admitted = await this.#pause.prepare(2 * windowMs, signal);
    if ('refused' in admitted) return admitted;
    const firstSentAt = now();
    const { accept, callerTimeout } = this.#parameters;
    const { askers: clients, callers } = this.#needs;
    const settings = {
      nodes: target.nodes.map(({ name }) => name),
      limit: this.#limit,
      callerTimeoutMs: parseDuration(callerTimeout),
      firstSentAt,
      clockWithinMs: CLOCK_WITHIN_MS,
    };
    const timeline = new Timeline(target, firstSentAt);
    timeline.limit(firstSentAt, this.#limit.requests);
    timeline.usualWrites(firstSentAt, usualWriteMs() > 0 ? [usualWriteMs()] : []);
    const place: Place = {
      fixture,
      record: new OutageRecord(settings, accept),
      timeline,
      keys: withinKeys(fixture),
      accounts: new AccountCallers({ clients, callers, fixture, ...settings }),
    };
    await this.#control(place, signal);
    this.#place = place;
    this.#pause.prepared();
    const windowEnds = windowEnd(this.#limit, firstSentAt);
    const lasts = this.#limit.algorithm === 'TokenBucket' ? NO_WINDOW_MS : windowMs;
    return {
      prepared: {
        fixture,
        ...admitted,
        usableUntil: Math.floor(windowEnds ?? firstSentAt + lasts),
        message: `Callers ${fixture}-...: ${counted(this.#full, 'request')} let through and then denied, others let through by ${counted(target.nodes.length, 'node')}`,
      },
    };
  }

  async inject(
    moment: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const place = this.#place;
    if (!place) throw new PauseNotSentError('its callers were not set up by this process');
    await this.#pause.requireSameRedis();
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

  /** Callers ask from the start of the fault to its end and the time to settle; then it is judged what they got. */
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
      const traffic = this.#traffic(place, AbortSignal.any([signal, enough.signal]));
      const accounts = this.#useAccounts(place, signal);
      // Where the watch is ended before them, nobody asks how they ended.
      Promise.all([traffic, accounts]).catch(() => undefined);
      const settleMs = parseDuration(this.#parameters.settle);
      // The last callers have their answers, or have given up, when the watch ends.
      await this.#untilAfterEnd(settleMs - parseDuration(this.#parameters.callerTimeout), signal);
      enough.abort();
      await Promise.all([traffic, accounts]);
      await this.#untilAfterEnd(settleMs, signal);
      this.#finishedAt = this.#toolkit.now();
      this.#told();
    } finally {
      enough.abort();
      watching.abort();
      await store;
      this.#tell = undefined;
    }
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
    if (!this.#place) {
      return { workedAt, measures: [], message: `${accepted}; the callers of this fault are not known` };
    }
    const { measures, message } = await this.#place.accounts.balance(signal);
    return { workedAt, measures, message: `${accepted}; ${message}` };
  }

  evidence(): FaultEvidence | undefined {
    const { timeline } = this.#place ?? {};
    if (!timeline) return undefined;
    const { endedAt, startedAt: originMs = this.#toolkit.now() } = this.#times;
    const seenEnd = endedAt === undefined ? {} : { endedAt };
    const bundle = timeline.bundle(originMs, this.#invariant);
    return { originMs, ...seenEnd, pods: timeline.pods, bands: [], bundle };
  }

  get timelines(): readonly Timeline[] {
    return this.#place ? [this.#place.timeline] : [];
  }

  /** In figures of the callers; what is accepted of them is in the formula alone. */
  get #invariant(): SeenInvariant | undefined {
    const reading = this.#place?.record.reading(this.#times, this.#finishedAt);
    if (!reading) return undefined;
    const { accept } = this.#parameters;
    const served = accept.some((kind) => kind !== 'Holds' && kind !== 'FailsOpen')
      ? []
      : [`others-allowed >= ${SHARE} * others-sent`];
    const kept = accept.includes('FailsOpen') ? [] : ['sum(requests-allowed) - allowed <= 0'];
    const valueOf = (name: string): number => reading.measures.find((one) => one.name === name)?.value ?? 0;
    const sent = valueOf('withinLimit');
    return {
      formula: [...served, ...kept].join(' and ') || 'callers get one of several answers that are accepted',
      broken: reading.detectedAt !== undefined,
      ...(reading.brokenAt !== undefined && { brokenAt: reading.brokenAt }),
      values:
        reading.measures.length === 0
          ? []
          : [
              { name: 'others-sent', value: sent },
              { name: 'others-allowed', value: sent - valueOf('notServed') },
              { name: 'sum(requests-allowed) - allowed', value: valueOf('overAdmission') },
            ],
    };
  }

  async inquire(marker: string): Promise<OrphanFinding> {
    return await this.#pause.inquire(marker);
  }

  get #full(): number {
    return admittedAtOnce(this.#limit);
  }

  /** From the first request to the last of the accounts. */
  get #storyMs(): number {
    const { callerTimeout, pause, settle } = this.#parameters;
    const { countdown } = this.#scenario;
    const parts = [pause, settle, settle, callerTimeout, callerTimeout, countdown];
    // Not less than the story of the fault (index.ts): a fixture that is usable for less is refused.
    return parts.reduce((sum, part) => sum + parseDuration(part), this.#toolkit.timeoutMs);
  }

  /** Requests for which one caller stays within its limit. */
  get #uses(): number {
    return Math.max(1, Math.floor(this.#full / 2));
  }

  /** @throws Error that says what is wrong without any fault */
  async #control(place: Place, signal: AbortSignal): Promise<void> {
    const { askers: clients, callers } = this.#needs;
    const callerTimeoutMs = parseDuration(this.#parameters.callerTimeout);
    const most = 2 * this.#full + MOST_BEYOND;
    const key = beyondKey(place.fixture);
    const usedUp = await useUp({ clients, callers, key, most, callerTimeoutMs }, signal);
    for (const request of usedUp.requests) noteRequest(place, request);
    const problem = controlProblem(this.#limit, usedUp, 'storeOutage.callerTimeout');
    if (problem !== undefined) throw new Error(problem);
    const keys = take(place.keys, Math.ceil((LEAST_ASKED * clients.length) / this.#uses));
    let turnedAway: CallerRequest | undefined;
    const add = (request: CallerRequest): void => {
      noteRequest(place, request);
      if (request.caller === 'Within' && request.got !== 'Admitted') turnedAway ??= request;
    };
    await this.#send(place, keys, add, signal, signal);
    signal.throwIfAborted();
    if (turnedAway) {
      const { got, node } = turnedAway;
      throw new Error(
        `without any fault a caller within its limit was ${got === 'Unanswered' ? `not answered by ${node} within ${formatDuration(callerTimeoutMs)}` : `${got === 'Denied' ? 'denied' : 'answered with an error'} by ${node}`}: see whether subject.rateLimiter.limit is the limit of your rate limiter, and whether $(key) stands where it takes the identity of its caller`,
      );
    }
  }

  get #needs(): { readonly callers: NonNullable<Toolkit['callers']>; readonly askers: Toolkit['askers'] } {
    const { askers, callers } = this.#toolkit;
    if (!callers) throw new TypeError('StoreOutage needs a limiter behind HTTP, which the API checks');
    return { callers, askers };
  }

  async #traffic(place: Place, stop: AbortSignal): Promise<void> {
    const { lifetime } = this.#toolkit;
    await this.#send(place, place.keys, (request) => noteRequest(place, request), stop, lifetime);
  }

  async #send(
    { fixture }: Place,
    within: Iterable<string>,
    tell: (request: CallerRequest) => void,
    stop: AbortSignal,
    lifetime: AbortSignal,
  ): Promise<void> {
    const { askers: clients, callers } = this.#needs;
    const { callerTimeout, requestsPerSecond } = this.#parameters;
    const callerTimeoutMs = parseDuration(callerTimeout);
    const common = { clients, callers, within, requestsPerSecond, callerTimeoutMs };
    await runCallerTraffic({ ...common, uses: this.#uses, beyond: beyondKey(fixture) }, tell, stop, lifetime);
  }

  /** In the midst of the fault, once its first requests are answered or waiting. */
  async #useAccounts({ accounts }: Place, signal: AbortSignal): Promise<void> {
    while (this.#times.startedAt === undefined) await pauseFor(TICK_MS, signal);
    await pauseFor((this.#times.until - this.#toolkit.now()) / 4, signal);
    await accounts.ask(Math.min(ACCOUNT_REQUESTS, this.#uses), signal);
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
    this.#tell?.(this.#place.record.reading(this.#times, this.#finishedAt));
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

function noteRequest({ record, timeline }: Place, request: CallerRequest): void {
  record.add(request);
  timeline.request(request);
}

function* take<T>(from: Generator<T>, count: number): Generator<T> {
  for (let i = 0; i < count; i += 1) {
    const { done, value } = from.next();
    if (done) return;
    yield value;
  }
}
