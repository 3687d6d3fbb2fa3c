/** One attempt of ghost allowing: bursts of one caller each, and what the sender and the pods count. */
import { counted, messageOf, type ScenarioSpec, truncate } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import { burstBands, trialKeys } from '../../checkers/burst-trials.ts';
import { mostOfBurst } from '../../checkers/sent-burst.ts';
import { countEvent } from '../../history/counts.ts';
import { History } from '../../history/history.ts';
import { sendBurst } from '../../http/burst.ts';
import { BurstNotSentError, spread } from '../../http/burst-plan.ts';
import { TLS_COST } from '../../http/dial.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import { SAMPLE_EVERY_MS, Turn, watchCounters } from '../../interfaces/counter-watch.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { isReference, mappingOf } from '../../interfaces/reference/preset.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { fitsFrom } from '../../limits/window-turn.ts';
import { proveWrite } from '../../store/write-probe.ts';
import type { Toolkit } from '../../tools.ts';
import { pauseFor, untilAborted } from '../../waiting.ts';
import { burstEvents } from '../../workloads/burst.ts';
import type { FaultAttempt, ObservedEvent, Preparation } from '../fault.ts';
import { isOfOneCaller } from '../rests.ts';
import { faultEvent, setupOf } from '../setup.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { usedBefore } from '../used-before.ts';
import { GhostJudge } from './judge.ts';
import { burstRoomMs, parametersOf, requestsOf } from './parameters.ts';

/** Rest between two trials, and what is added from one to the next: no two meet a sync at the same moment. */
const REST_MS = 100;
const REST_LONGER_MS = 17;
/** How long a caller that was never seen can be used; milliseconds. */
const USABLE_MS = 600_000;
/** The counters of many keys are sampled less often, but at least so often. */
const MOST_SPARSE = 5;

/** Everything of one fixture. */
interface Place {
  readonly history: History;
  readonly judge: GhostJudge;
  /** Of each trial, in the order of the keys. */
  readonly timelines: readonly Timeline[];
}

export class GhostAllowingAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #limit: RateLimit;
  /** The next sample of the counters of a caller, by its key. */
  readonly #turns = new Map<string, Turn>();
  #place: Place | undefined;
  #isOver = false;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit, { limit }: Pick<CallerAccess, 'limit'>) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#limit = limit;
  }

  /** Sends nothing that counts: a caller is new to the limiter until its burst. */
  async prepare(fixture: string, signal: AbortSignal): Promise<Preparation> {
    const { now, ownLimit, reference, target } = this.#toolkit;
    const { trials } = parametersOf(this.#scenario);
    await ownLimit?.untilWhole(signal);
    const keys = trialKeys(fixture, trials);
    const prepared = (await reference?.prepare(keys, signal)) ?? {
      fixture,
      usableUntil: Math.floor(now() + USABLE_MS),
      message: ownLimit
        ? "The limit of the operator's address is whole"
        : `${counted(trials, 'caller')} that the rate limiter has never seen: ${fixture}`,
    };
    const history = new History(setupOf(this.#scenario, this.#toolkit, { fixture, preparedAt: now() }));
    const judge = new GhostJudge(history);
    const timelines = keys.map(() => new Timeline(target, history.setup.preparedAt));
    this.#place = { history, judge, timelines };
    for (const key of keys) this.#turns.set(key, new Turn());
    showIn(timelines, history, judge);
    return { prepared };
  }

  async inject(
    { plannedAt, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, reference } = this.#toolkit;
    if (!this.#place) throw new BurstNotSentError('its callers were not set up by this process');
    const { history, judge } = this.#place;
    history.append({ kind: 'fault', step: 'Planned', at: plannedAt, until });
    for (const [i, key] of judge.keys.entries()) {
      try {
        if (i > 0) await this.#rest(i, signal);
        // If the counters cannot be read, the burst finds out why.
        const used = reference && (await usedBefore(this.#toolkit, key, signal).catch(() => undefined));
        signal.throwIfAborted();
        if (used && i === 0) return this.#reported(used);
        if (used) throw new BurstNotSentError(used.message);
        const at = i === 0 ? Math.max(plannedAt, now()) : now();
        await this.#burst(
          key,
          fitsFrom(this.#limit, burstRoomMs(this.#toolkit.limiter), at),
          until,
          permit,
          signal,
        );
        this.#turns.get(key)?.now();
        if (judge.trials.at(-1)?.report.proof !== 'Confirmed') break;
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        history.append({ kind: 'stopped', at: now(), why: truncate(messageOf(error), 512) });
        break;
      }
    }
    this.#isOver = true;
    // What the pods report of the last burst is there a moment later: then all trials are told at once.
    if (reference && judge.trials.length > 1) await pauseFor(REST_MS, signal).catch(() => undefined);
    this.#told();
    return this.#reported(judge.report);
  }

  #reported(report: FaultReport): FaultReport {
    this.#place?.history.append(faultEvent(report));
    return report;
  }

  async #rest(trial: number, signal: AbortSignal): Promise<void> {
    const { ownLimit } = this.#toolkit;
    await (ownLimit?.untilWhole(signal) ?? pauseFor(REST_MS + REST_LONGER_MS * trial, signal));
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const { history, judge } = this.#place ?? {};
    if (!history || !judge) return await untilAborted(signal);
    this.#tell = tell;
    this.#told();
    const { reference } = this.#toolkit;
    const keys = reference ? judge.keys : [];
    try {
      await Promise.all([
        watchStore(this.#toolkit, (event) => history.append(event), signal),
        ...keys.map(async (key) => await this.#watchCounters(key, signal)),
      ]);
    } finally {
      this.#tell = undefined;
    }
  }

  async #watchCounters(key: string, signal: AbortSignal): Promise<void> {
    const { reference } = this.#toolkit;
    const { history, judge } = this.#place ?? {};
    if (!history || !judge || !reference) return;
    const everyMs = SAMPLE_EVERY_MS * Math.min(judge.keys.length, MOST_SPARSE);
    const turn = this.#turns.get(key) ?? new Turn();
    await watchCounters(
      async (end) => await reference.sample(key, end),
      (sample) => {
        if (judge.isComplete(key)) return;
        history.append(countEvent(key, sample));
        this.#told();
      },
      signal,
      { everyMs, turn },
    );
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis, timeoutMs } = this.#toolkit;
    const workedAt = await proveWrite(redis, timeoutMs + settleMs, now, signal);
    if (workedAt === undefined)
      return { measures: [], message: `${redis.name} took no write: check that it runs` };
    this.#place?.history.append({ kind: 'recovered', at: workedAt });
    return { workedAt, measures: [], message: `${redis.name} takes writes (a real one was accepted)` };
  }

  /** Of the trial whose figures are shown. */
  evidence(): FaultEvidence | undefined {
    if (!this.#place) return undefined;
    const { judge, timelines } = this.#place;
    const { index, trial } = judge.shown;
    const timeline = timelines[index];
    if (!timeline) return undefined;
    const bursts = judge.trials.map(({ burst }) => burst);
    const { endedAt, startedAt: originMs = timeline.startedAt } = trial?.burst ?? {};
    const seenEnd = this.#toolkit.reference && endedAt !== undefined ? { endedAt } : {};
    const bundle = timeline.bundle(originMs, judge.seen);
    return { originMs, ...seenEnd, pods: timeline.pods, bands: burstBands(bursts, index), bundle };
  }

  get history(): History | undefined {
    return this.#place?.history;
  }

  observe(event: ObservedEvent): void {
    this.#place?.history.append(event);
  }

  async #burst(key: string, at: number, until: number, permit: Permit, signal: AbortSignal): Promise<void> {
    const { budget, callers, dial, limiter, now, ownLimit, reference, target, timeoutMs } = this.#toolkit;
    const request = callers.requestOf(key);
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
    };
    const plan = {
      requests: spread(target.nodes, requestsOf(this.#scenario, limiter, target.nodes.length), () => request),
      // Over TLS it would take the time of the processor that the burst needs.
      ...(!dial && { wakeUp: { method: 'GET', path: mappingOf(limiter).health.path } }),
      timeoutMs,
      budget,
      at,
      until,
      now,
      onStart,
      ...(dial && { dial, cost: TLS_COST }),
    };
    const burst = await sendBurst({ ...plan, read: (answer) => callers.read(answer) }, signal).finally(() =>
      ownLimit?.used(),
    );
    const { history } = this.#place ?? {};
    const asked = reference && `${request.method} ${request.path}`;
    const { burst: event, requests } = burstEvents(key, burst, now(), asked);
    for (const sent of requests) history?.request(sent);
    history?.append(event);
  }

  #told(): void {
    const { judge } = this.#place ?? {};
    if (!this.#tell || !judge) return;
    const reading = judge.reading();
    if (reading && (this.#toolkit.reference || this.#isOver || judge.trials.length > 0)) this.#tell(reading);
  }
}

/** Shows a history in the evidence of each trial, as it grows. */
function showIn(timelines: readonly Timeline[], history: History, judge: GhostJudge): void {
  const { baseline, clockWithinMs, limiter, pods, preparedAt, usualWriteMs } = history.setup;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  const oneCaller = isOfOneCaller(limiter);
  for (const timeline of timelines) {
    timeline.limit(preparedAt, full);
    if (isReference(limiter) && baseline) {
      timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
      if (baseline.lag !== undefined) timeline.lag(preparedAt, baseline.lag);
    } else timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  }
  history.listen((event) => {
    if (event.kind === 'burst') {
      const burst = judge.trials.at(-1)?.burst;
      if (!burst) return;
      for (const [i, timeline] of timelines.entries()) {
        if (judge.keys[i] !== event.key) {
          const who = oneCaller ? 'the same caller, in a window of its own,' : 'another caller';
          timeline.otherBurst(burst, who);
          continue;
        }
        timeline.burst(burst);
        const most = mostOfBurst({ limit, nodes: pods, clockWithinMs }, burst);
        timeline.limit(burst.startedAt, full);
        timeline.limit(most.at, most.bound);
      }
    } else if (event.kind === 'count') timelines[judge.keys.indexOf(event.key)]?.show(event);
    else if (event.kind !== 'request') for (const timeline of timelines) timeline.show(event);
  });
}
