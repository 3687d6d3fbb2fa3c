/**
 * Drives a rate limiter: performs the effects and carries on the activities that
 * `decide` asks for, on pods and a Redis that somebody else has found.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type ChaosDemoSpec, counterDriftOf, ghostAllowingOf, parseDuration } from '../../api/index.ts';
import type { Activity, Effect } from '../../demo/effects.ts';
import type { HealthSnapshot } from '../../demo/health.ts';
import { nothingObserved, type Observed } from '../../demo/observed.ts';
import type { SubjectDriver } from '../../demo/subject.ts';
import { createDiagnosisProfiles, type DiagnosisProfiles, rulesProvider } from '../../diagnosis/index.ts';
import { Activities } from './activities.ts';
import { type Baseline, measureBaseline } from './baseline.ts';
import { SAMPLE_TIMEOUT_MS, watchCounters } from './counter-watch.ts';
import { rateLimiterDefinition, rateLimiterOf } from './definition.ts';
import { FaultSession } from './fault-session.ts';
import { createHealthPoller } from './health-poller.ts';
import { completePauseReport, type PauseJob, reportBurst, reportPause } from './inject.ts';
import { LimiterClient } from './limiter-client.ts';
import { PauseNotSentError } from './pause.ts';
import { prepareKey } from './prepare.ts';
import { watchRecovery } from './recovery.ts';
import { RedisConnections } from './redis-client.ts';
import { comparePauses, parseInfo } from './redis-info.ts';
import { type OwnPause, restore } from './restore.ts';
import { removeRateLimit } from './setup-limit.ts';
import { runSteadyTraffic } from './steady-traffic.ts';
import type { RateLimiterTarget } from './target.ts';
import { messageOf, untilAborted } from './waiting.ts';

/** Connections for health, limits and counters of one node; few, since each is asked one thing at a time. */
const QUIET_CONNECTIONS = 4;
/** Connections for steady traffic to one node: a strict node holds each request for as long as Redis stalls. */
const LOAD_CONNECTIONS = 256;

export interface RateLimiterDriverOptions {
  readonly target: RateLimiterTarget;
  /** The spec the run is about; its health timeout is taken when the driver is made. */
  readonly spec: ChaosDemoSpec;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Whether an earlier process may have left a pause on. */
  readonly mayBePaused?: boolean;
  /** What stands against an effect at this moment; asked right before a fault is sent. Default: nothing. */
  readonly obstacleTo?: (effect: Effect) => string | undefined;
  /** Called whenever something was seen that matters to `decide`. */
  readonly onChange: () => void;
  /** Milliseconds since the epoch; default Date.now. */
  readonly clock?: () => number;
  /** Who explains what was detected; default: the rules, as profile "rules". */
  readonly diagnosis?: DiagnosisProfiles;
}

type EffectOf<K extends Effect['kind']> = Extract<Effect, { kind: K }>;
type AboutFault = Extract<Activity, { fault: string }>;

/** A driver for one run; connects when it is first asked for something. */
export function createRateLimiterDriver(options: RateLimiterDriverOptions): SubjectDriver {
  return new RateLimiterDriver(options);
}

class RateLimiterDriver implements SubjectDriver {
  readonly observed: Observed;
  readonly #options: RateLimiterDriverOptions;
  readonly #now: () => number;
  readonly #diagnosis: DiagnosisProfiles;
  readonly #timeoutMs: number;
  readonly #probeId = randomUUID();
  readonly #redis: RedisConnections;
  readonly #clients: readonly LimiterClient[];
  readonly #observers: readonly LimiterClient[];
  readonly #loaders: readonly LimiterClient[];
  readonly #lifetime = new AbortController();
  readonly #activities: Activities;
  readonly #background = new Set<Promise<void>>();
  readonly #sessions = new Map<string, FaultSession>();
  /** Keys that were made; a fault that was planned again is not in the status with its first one. */
  readonly #keys = new Set<string>();
  /** Effects under way that make keys; a restore ends them first. */
  readonly #making = new Set<Promise<void>>();
  readonly #endMaking = new AbortController();
  #baseline: Baseline | undefined;
  #ownPause: OwnPause;
  #released = false;

  constructor(options: RateLimiterDriverOptions) {
    const { target, spec, clock = Date.now } = options;
    this.#options = options;
    this.#now = clock;
    this.#diagnosis = options.diagnosis ?? createDiagnosisProfiles({ rules: rulesProvider });
    this.#timeoutMs = parseDuration(rateLimiterOf(spec).health.timeout);
    this.observed = nothingObserved(clock());
    this.#activities = new Activities(
      async (activity, stop) => await this.#carryOn(activity, AbortSignal.any([stop, this.#lifetime.signal])),
      (activity, error) => {
        if (!this.#lifetime.signal.aborted) options.log.error({ err: error, activity }, 'an activity failed');
      },
    );
    this.#redis = new RedisConnections(target.redis, this.#probeId);
    const open = (timeoutMs: number, connections: number): LimiterClient[] =>
      target.nodes.map((node) => new LimiterClient(node, timeoutMs, connections));
    this.#clients = open(this.#timeoutMs, QUIET_CONNECTIONS);
    this.#observers = open(Math.min(this.#timeoutMs, SAMPLE_TIMEOUT_MS), QUIET_CONNECTIONS);
    this.#loaders = open(this.#timeoutMs, LOAD_CONNECTIONS);
    this.#ownPause = options.mayBePaused ? 'unknown' : 'none';
  }

  async perform(effect: Effect, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#lifetime.signal]);
    switch (effect.kind) {
      case 'MeasureBaseline':
        return await this.#make((until) => this.#measureBaseline(until), stop);
      case 'Prepare':
        return await this.#make((until) => this.#prepare(effect, until), stop);
      case 'Inject':
        return await this.#inject(effect, stop);
      case 'Inquire':
        return await this.#inquire(effect, stop);
      case 'Diagnose':
        return await this.#diagnose(effect, stop);
      case 'Recover':
        return await this.#recover(effect, stop);
      case 'Restore':
        return await this.#restore(effect, stop);
    }
  }

  converge(activities: Activity[]): void {
    this.#activities.converge(activities);
  }

  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the session was closed'));
    this.#redis.close();
    await Promise.all(
      [...this.#clients, ...this.#observers, ...this.#loaders].map(async (c) => await c.close()),
    );
    await Promise.all([this.#activities.close(), ...this.#background]);
  }

  /** Runs what makes keys; it can be ended early, and then has taken away what it made. */
  async #make(work: (until: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const made = work(AbortSignal.any([signal, this.#endMaking.signal]));
    this.#making.add(made);
    await made.finally(() => this.#making.delete(made));
  }

  async #measureBaseline(signal: AbortSignal): Promise<void> {
    const { limit } = rateLimiterOf(this.#options.spec);
    try {
      const baseline = await measureBaseline(
        {
          clients: this.#clients,
          observers: this.#observers,
          redis: this.#redis,
          controlKey: `${limit.keyPrefix}-${this.#probeId.slice(0, 8)}-control`,
          limit: limit.requests,
          windowMs: parseDuration(limit.window),
          timeoutMs: this.#timeoutMs,
          now: this.#now,
          lifetime: this.#lifetime.signal,
        },
        signal,
      );
      this.#baseline = baseline;
      const { writeP50Ms, writeMaxMs, lag, samples } = baseline;
      this.observed.baseline = {
        ok: true,
        message: `Without a fault: a write of Redis takes ${writeP50Ms.toFixed(1)} ms (slowest ${writeMaxMs.toFixed(1)} ms), and Redis is at most ${lag} counts behind the nodes (${samples} samples)`,
      };
    } catch (error) {
      this.observed.baseline = { ok: false, message: `No baseline: ${messageOf(error)}` };
    }
    this.#options.onChange();
  }

  async #prepare(
    { fault, scenario, key, sequence }: EffectOf<'Prepare'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { spec, target } = this.#options;
    try {
      const [definition, scenarioSpec] = this.#scenario(scenario);
      const { window, prepared } = await prepareKey(
        {
          clients: this.#clients,
          redis: this.#redis,
          type: definition.type,
          key,
          limit: rateLimiterOf(spec).limit,
          timeoutMs: this.#timeoutMs,
          now: this.#now,
        },
        signal,
      );
      const parts = { scenario: definition, spec: scenarioSpec, target, window, baseline: this.#baseline };
      this.#sessions.set(fault, new FaultSession(parts, this.#now));
      this.#keys.add(key);
      // A pause is prepared only once no earlier one can be on.
      if (definition.type === 'CounterDrift' && this.#ownPause === 'unknown') this.#ownPause = 'none';
      this.observed.prepared[fault] = { ...prepared, sequence };
      delete this.observed.prepareFailures[fault];
    } catch (error) {
      // Perhaps half of the nodes have it.
      const within = AbortSignal.any([this.#lifetime.signal, AbortSignal.timeout(this.#timeoutMs)]);
      await removeRateLimit(this.#clients, key, within).catch(() => undefined);
      this.observed.prepareFailures[fault] =
        `The key of the scenario could not be set up: ${messageOf(error)}`;
    }
    this.#options.onChange();
  }

  async #inject(effect: EffectOf<'Inject'>, signal: AbortSignal): Promise<void> {
    const { id, until } = effect;
    const session = this.#sessions.get(id);
    const missed = (message: string): void => {
      this.observed.faults[id] = { missed: true, message, evidence: [] };
    };
    const sent = { is: false };
    if (!session) missed('its key was not set up by this process');
    else {
      session.until = until;
      try {
        if (session.scenario.type === 'CounterDrift') await this.#injectPause(effect, session, sent, signal);
        else await this.#injectBurst(effect, session, signal);
      } catch (error) {
        if (sent.is) {
          const message = `CLIENT PAUSE was sent, and what it did was not seen: ${messageOf(error)}`;
          this.observed.faults[id] = { proof: 'Inconclusive', message, evidence: [] };
        } else missed(messageOf(error));
      }
      this.#updateReading(id, session);
    }
    const { missed: nothing, proof, message } = this.observed.faults[id] ?? { message: '' };
    this.#options.log.info({ fault: id, missed: nothing, proof }, message);
    this.#options.onChange();
  }

  async #injectPause(
    effect: EffectOf<'Inject'>,
    session: FaultSession,
    sent: { is: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { id, plannedAt, until } = effect;
    const job: PauseJob = {
      redis: this.#redis,
      session,
      plannedAt,
      until,
      usualWriteMs: this.#baseline?.writeMaxMs ?? 0,
      now: this.#now,
      onSend: () => {
        const obstacle = this.#obstacleTo(effect);
        if (obstacle) throw new PauseNotSentError(obstacle);
        sent.is = true;
        this.#ownPause = 'active';
      },
    };
    const injected = await reportPause(job, signal);
    this.observed.faults[id] = injected.report;
    if (injected.report.endedAt !== undefined) {
      injected.pause.writer.close();
      this.#ownPause = 'none';
      return;
    }
    const runId = this.observed.prepared[id]?.marker?.split('/', 1)[0];
    this.#inBackground(async (lifetime) => {
      try {
        const releasedByUs = (): boolean => this.#released || injected.pause.released;
        await completePauseReport(job, injected, runId, releasedByUs, lifetime);
      } finally {
        injected.pause.writer.close();
      }
      if (injected.report.endedAt !== undefined) this.#ownPause = 'none';
      this.#updateReading(id, session);
      this.#options.onChange();
    });
  }

  async #injectBurst(effect: EffectOf<'Inject'>, session: FaultSession, signal: AbortSignal): Promise<void> {
    const { id, plannedAt, until } = effect;
    const { limit } = session.window;
    const [, scenarioSpec] = this.#scenario(session.scenario.name);
    const { report, burst } = await reportBurst(
      {
        redis: this.#redis,
        session,
        nodes: this.#options.target.nodes,
        requests: limit * ghostAllowingOf(scenarioSpec).multiplier,
        timeoutMs: this.#timeoutMs,
        plannedAt,
        now: this.#now,
        obstacle: () => (this.#now() > until ? 'its time was over' : this.#obstacleTo(effect)),
      },
      signal,
    );
    this.observed.faults[id] = report;
    session.takeBurst(burst);
  }

  /** Connecting may have taken a while: what was allowed then may not be any more. */
  #obstacleTo(effect: Effect): string | undefined {
    return this.#released ? 'the run is being restored' : this.#options.obstacleTo?.(effect);
  }

  async #inquire({ fault, marker }: EffectOf<'Inquire'>, signal: AbortSignal): Promise<void> {
    try {
      const now = parseInfo(await this.#redis.info('server', 'commandstats'));
      this.observed.orphans[fault] = comparePauses(marker, now);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn({ fault }, `whether it was injected is not known: ${messageOf(error)}`);
      this.observed.orphans[fault] = 'Unknown';
    }
    this.#options.onChange();
  }

  async #diagnose({ fault, profile }: EffectOf<'Diagnose'>, signal: AbortSignal): Promise<void> {
    const session = this.#sessions.get(fault);
    this.observed.diagnoses[fault] = session
      ? await this.#diagnosis.diagnose(profile, session.request(this.observed.faults[fault]), signal)
      : { message: 'the observations were made by a process that is gone; run again for a diagnosis' };
    this.#options.onChange();
  }

  async #recover({ fault, settleMs }: EffectOf<'Recover'>, signal: AbortSignal): Promise<void> {
    const session = this.#sessions.get(fault);
    const pauseLeft = session ? Math.max(0, session.until - this.#now()) : 0;
    this.observed.recoveries[fault] = await watchRecovery(
      {
        observers: this.#observers,
        redis: this.#redis,
        window: session?.window,
        writeWithinMs: (Number.isFinite(pauseLeft) ? pauseLeft : 0) + this.#timeoutMs + settleMs,
        settleMs,
        now: this.#now,
      },
      signal,
    );
    this.#options.onChange();
  }

  async #restore({ id, keys, release }: EffectOf<'Restore'>, signal: AbortSignal): Promise<void> {
    // From here on no fault is sent any more by this driver. A pause that was sent already is ahead of its
    // release on the same connection.
    if (release) this.#released = true;
    this.#endMaking.abort(new Error('the run is being restored'));
    await Promise.allSettled(this.#making);
    this.observed.restored[id] = await restore(
      {
        redis: this.#redis,
        clients: this.#clients,
        keys: [...new Set([...keys, ...this.#keys])],
        release,
        ownPause: this.#ownPause,
        now: this.#now,
      },
      signal,
    );
    this.#options.onChange();
  }

  async #carryOn(activity: Activity, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth':
        return await this.#pollHealth(activity.intervalMs, signal);
      case 'Watch':
        return await this.#watch(activity, signal);
      case 'Load':
        return await this.#load(activity, signal);
    }
  }

  async #pollHealth(intervalMs: number, signal: AbortSignal): Promise<void> {
    const { target } = this.#options;
    const poller = createHealthPoller({
      clients: this.#clients,
      nodes: target.nodes,
      intervalMs,
      timeoutMs: this.#timeoutMs,
      now: this.#now,
      onSnapshot: (snapshot) => {
        const changed = !sameHealth(this.observed.health, snapshot);
        this.observed.health = snapshot;
        if (changed) this.#options.onChange();
      },
    });
    await poller.run(signal);
  }

  async #watch({ fault }: AboutFault, signal: AbortSignal): Promise<void> {
    const session = this.#sessions.get(fault);
    if (!session) return await untilAborted(signal);
    await watchCounters(
      this.#observers,
      this.#redis,
      session.window,
      this.#now,
      (sample) => {
        session.takeSample(sample);
        this.#updateReading(fault, session);
      },
      signal,
    );
  }

  async #load({ fault, scenario }: AboutFault, signal: AbortSignal): Promise<void> {
    const session = this.#sessions.get(fault);
    if (!session) return await untilAborted(signal);
    const { requestsPerSecond } = counterDriftOf(this.#scenario(scenario)[1]);
    const { key, windowId } = session.window;
    const traffic = { clients: this.#loaders, key, windowId, requestsPerSecond };
    await runSteadyTraffic(traffic, session.trafficListener(), signal, this.#lifetime.signal);
  }

  /** Takes the reading over, and tells when something was detected or the watch is complete. */
  #updateReading(fault: string, session: FaultSession): void {
    const before = this.observed.readings[fault];
    const report = this.observed.faults[fault];
    const reading = session.reading(report);
    if (!reading) return;
    this.observed.readings[fault] = reading;
    const end = report?.endedAt === undefined ? Infinity : report.endedAt + session.scenario.settleMs;
    const detected = before?.detectedAt === undefined && reading.detectedAt !== undefined;
    const complete = (before?.watchedUntil ?? 0) < end && reading.watchedUntil >= end;
    if (detected || complete) this.#options.onChange();
  }

  #scenario(
    name: string,
  ): [ReturnType<typeof rateLimiterDefinition.scenarios>[number], ChaosDemoSpec['scenarios'][number]] {
    const { spec } = this.#options;
    const scenario = rateLimiterDefinition.scenarios(spec).find((candidate) => candidate.name === name);
    const scenarioSpec = spec.scenarios.find((candidate) => candidate.name === name);
    if (!scenario || !scenarioSpec) throw new RangeError(`the spec has no scenario ${name}`);
    return [scenario, scenarioSpec];
  }

  #inBackground(work: (lifetime: AbortSignal) => Promise<void>): void {
    const { signal } = this.#lifetime;
    const done = work(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.error({ err: error }, 'watching the end of a fault failed');
      })
      .finally(() => {
        this.#background.delete(done);
      });
    this.#background.add(done);
  }
}

function sameHealth(a: HealthSnapshot | undefined, b: HealthSnapshot): boolean {
  const essence = (snapshot: HealthSnapshot): string =>
    JSON.stringify([snapshot.nodes, snapshot.redisConnected, snapshot.hasIssues]);
  return a !== undefined && essence(a) === essence(b);
}
