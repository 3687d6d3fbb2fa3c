/**
 * Drives pods that keep their state in Redis: performs the effects and runs the activities that `decide` requests, on pods and a Redis that
 * were already discovered. It owns the connections and does not depend on single types of faults.
 */
import { claimOf, StoreRefusedError } from '@chaosdemo/redis-faults';
import { untilAborted } from '@chaosdemo/redis-faults/waiting';
import { type ChaosDemoSpec, messageOf } from '../../api/index.ts';
import type { DiagnosisProfiles } from '../../diagnosis/index.ts';
import type { Activity, SubjectEffect } from '../../engine/effects.ts';
import type { Finding } from '../../engine/findings.ts';
import type { HealthSnapshot } from '../../engine/health.ts';
import type { FaultReport } from '../../engine/observed.ts';
import type { Emit, Permit, RecordedHistory, SubjectDriver, SubjectPorts } from '../../engine/subject.ts';
import type { Cluster, PodsMemory } from '../cluster.ts';
import { pollHealth } from '../controls/http-health.ts';
import { InvariantBrokenError } from '../controls/invariant-broken.ts';
import { injectNoted, type NoteFault } from '../redis/noted-fault.ts';
import type { ScenarioPlan } from '../scenarios/scenario-plan.ts';
import { plansOf, type SubjectKind, scenarioTypeOf } from '../scenarios/scenario-type.ts';
import type { Controls, Toolkit } from '../scenarios/tools.ts';
import { truthIn } from '../scenarios/truth.ts';
import { requirePods } from '../targets/pods-now.ts';
import { NotFoundOutError } from '../targets/refusal.ts';
import { Attempt, type ObservedEvent } from './attempt.ts';
import { restore } from './restore.ts';
import { closeToolkit, openToolkit, type RunParts } from './toolkit.ts';

export interface PodsDriverOptions extends RunParts {
  readonly kind: SubjectKind;
  readonly spec: ChaosDemoSpec;
  /** Generation of the spec. */
  readonly generation: number;
  readonly logger: Pick<SubjectPorts<Cluster>['logger'], 'error' | 'info' | 'warn'>;
  /** Records faults, so that Redis cools down after them; left out: there is no cool-down. */
  readonly noteFault?: NoteFault;
  /** Runs RecheckPreconditions, see `watchPreconditions`. */
  readonly watchPreconditions: (emit: Emit, signal: AbortSignal) => Promise<void>;
  readonly diagnosis: DiagnosisProfiles;
  /** Left out: the memory of pods is not known. */
  readonly memoryOfPods?: (signal: AbortSignal) => Promise<PodsMemory>;
  readonly onClose?: () => void;
}

type EffectOf<K extends SubjectEffect['kind']> = Extract<SubjectEffect, { kind: K }>;

/** A driver for one run; connects on first use. */
export class PodsDriver implements SubjectDriver {
  readonly #options: PodsDriverOptions;
  #plans: readonly ScenarioPlan[];
  #toolkit: Toolkit;
  readonly #lifetime = new AbortController();
  /** By the id of the fault. */
  readonly #attempts = new Map<string, Attempt>();
  /** Attempts that are watched. */
  readonly #watched = new Set<Attempt>();
  /** Fixtures of attempts that this process prepared. */
  readonly #fixtures = new Set<string>();
  #control: Controls | undefined;

  constructor(options: PodsDriverOptions) {
    this.#options = options;
    const { kind, spec } = options;
    this.#plans = plansOf(kind, spec);
    const tools = openToolkit(options, kind.partOf(spec), () => this.#control, this.#lifetime.signal);
    this.#toolkit = kind.tools(tools, kind.partOf(spec));
  }

  async perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    switch (effect.kind) {
      case 'MeasureBaseline':
        return await this.#measureBaseline(effect, signal);
      case 'Prepare':
        return await this.#prepare(effect, signal);
      case 'Inject':
        return await this.#inject(effect, permit, signal);
      case 'Inquire':
        return await this.#inquire(effect, signal);
      case 'Diagnose':
        return await this.#diagnose(effect, signal);
      case 'Recover': {
        const report = await this.#attempt(effect).recover(effect.settleMs, signal);
        return { kind: 'Recovery', fault: effect.fault, report };
      }
      case 'Restore':
        return await this.#restore(effect, permit, signal);
      default:
        return effect satisfies never;
    }
  }

  async runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    try {
      await this.#carryOn(activity, emit, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await untilAborted(signal);
  }

  history(fault: string): RecordedHistory | undefined {
    return this.#attempts.get(fault)?.recorded();
  }

  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the driver was closed'));
    closeToolkit(this.#toolkit);
    this.#options.onClose?.();
    for (const attempt of this.#attempts.values()) attempt.close();
  }

  async #measureBaseline({ fixture }: EffectOf<'MeasureBaseline'>, signal: AbortSignal): Promise<Finding> {
    const { kind, spec } = this.#options;
    try {
      await requirePods(this.#toolkit.lookAtPods, signal);
      const control = await kind.control(this.#toolkit, { key: fixture, plans: this.#plans, spec }, signal);
      const { measured, message, problem } = control;
      if (problem !== undefined) return baselineProblem(problem);
      this.#control = control;
      if (measured) {
        const whole = { ...spec, ...measured };
        this.#plans = plansOf(kind, whole);
        this.#toolkit = kind.tools(this.#toolkit, kind.partOf(whole));
      }
      return { kind: 'Baseline', outcome: { ok: true, message, ...(measured && { measured }) } };
    } catch (error) {
      return brokenBy(error, signal) ?? baselineProblem(`No baseline: ${messageOf(error)}`);
    }
  }

  async #prepare(effect: EffectOf<'Prepare'>, signal: AbortSignal): Promise<Finding> {
    const { fault, fixture } = effect;
    const { generation, now } = this.#options;
    const attempt = this.#open(effect.scenario);
    try {
      await requirePods(this.#toolkit.lookAtPods, signal);
      const prepared = await attempt.prepare(fixture, signal);
      this.#attempts.get(fault)?.close();
      this.#attempts.set(fault, attempt);
      this.#fixtures.add(fixture);
      return { kind: 'Prepared', fault, prepared };
    } catch (error) {
      attempt.close();
      signal.throwIfAborted();
      if (error instanceof StoreRefusedError) {
        const admission = { ...error.admission, state: 'refused' } as const;
        return { kind: 'Admission', admission, generation, at: now() };
      }
      const message = `The key of the scenario could not be set up: ${messageOf(error)}`;
      return brokenBy(error, signal) ?? { kind: 'NotPrepared', fault, message };
    }
  }

  async #inject(effect: EffectOf<'Inject'>, permit: Permit, signal: AbortSignal): Promise<Finding> {
    const { id: fault, plannedAt: from, scenario, until } = effect;
    const { noteFault } = this.#options;
    let report: FaultReport;
    try {
      await requirePods(this.#toolkit.lookAtPods, signal);
      const { mechanism } = this.#planned(scenario);
      const inject = (): Promise<FaultReport> =>
        this.#attempt({ fault, scenario }).inject(effect, permit, signal);
      const disturbed = { from, until: mechanism?.lasts === 'Moment' ? from : until };
      report = await (noteFault && mechanism ? injectNoted(noteFault, disturbed, inject, signal) : inject());
    } catch (error) {
      signal.throwIfAborted();
      report = { missed: true, message: messageOf(error), evidence: [] };
    }
    this.#options.logger.info({ fault, missed: report.missed, proof: report.proof }, report.message);
    return { kind: 'Fault', fault, report };
  }

  async #inquire(effect: EffectOf<'Inquire'>, signal: AbortSignal): Promise<Finding> {
    const { fault, marker } = effect;
    try {
      const orphan = await this.#open(effect.scenario).inquire(marker);
      return { kind: 'Orphan', fault, orphan };
    } catch (error) {
      signal.throwIfAborted();
      this.#options.logger.warn({ fault }, `whether it was injected is not known: ${messageOf(error)}`);
      return { kind: 'Orphan', fault, orphan: 'Unknown' };
    }
  }

  async #diagnose({ fault, profile, scenario }: EffectOf<'Diagnose'>, signal: AbortSignal): Promise<Finding> {
    const evidence = this.#attempts.get(fault)?.evidence();
    if (!evidence) {
      const message = 'the observations of this fault are lost, or cannot be read; run again for a diagnosis';
      return { kind: 'Diagnosis', fault, profile, report: { message } };
    }
    const { bundle, pods } = evidence;
    const { truth: expected } = this.#planned(scenario);
    if (!expected)
      return { kind: 'Diagnosis', fault, profile, report: { message: 'no profile explains this' } };
    const of = { scenario, bundle, pods, truth: truthIn(expected, bundle) };
    const report = await this.#options.diagnosis.diagnose(profile, of, signal);
    return { kind: 'Diagnosis', fault, profile, report };
  }

  async #restore(
    { id, fixtures, release }: EffectOf<'Restore'>,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<Finding> {
    // This process knows more of its own failovers than their claims show.
    const ofOthers = fixtures.filter((fixture) => !this.#fixtures.has(fixture));
    const claims = this.#plans.some(({ failsOver }) => failsOver) ? ofOthers.map(claimOf) : [];
    const restored = await restore({ ...this.#toolkit, claims, release, permit }, signal);
    const histories: Record<string, string> = {};
    for (const [fault, attempt] of this.#attempts) {
      const digest = attempt.digest();
      if (digest) histories[fault] = digest;
    }
    return { kind: 'Restored', effect: id, restored: { ...restored, histories } };
  }

  async #carryOn(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth': {
        const onSnapshot = (snapshot: HealthSnapshot): void => {
          this.#observe(healthEvent(snapshot));
          if (this.#watched.size > 0) void this.#observeMemory(signal);
          emit({ kind: 'Health', snapshot });
        };
        return await pollHealth(this.#toolkit, activity.intervalMs, onSnapshot, signal);
      }
      case 'RecheckPreconditions':
        return await this.#options.watchPreconditions((finding) => {
          const pods = finding.kind === 'PreconditionCheck' ? [...(finding.gone ?? [])] : [];
          if (pods.length > 0) this.#observe({ kind: 'gone', at: this.#options.now(), pods });
          emit(finding);
        }, signal);
      case 'AwaitEnd': {
        const { fault } = activity;
        return await this.#attempt(activity).awaitEnd(
          (report) => emit({ kind: 'Fault', fault, report }),
          signal,
        );
      }
      case 'Watch': {
        const { fault } = activity;
        const attempt = this.#attempt(activity);
        this.#watched.add(attempt);
        void this.#observeMemory(signal);
        try {
          return await attempt.watch((reading) => emit({ kind: 'Reading', fault, reading }), signal);
        } finally {
          this.#watched.delete(attempt);
        }
      }
      case 'Load':
        return await this.#attempt(activity).load(signal);
      default:
        return activity satisfies never;
    }
  }

  /** The attempt of this process; one without observations if there is none. */
  #attempt({ fault, scenario }: { readonly fault: string; readonly scenario: string }): Attempt {
    return this.#attempts.get(fault) ?? this.#open(scenario);
  }

  /** What cannot be read is not known. */
  async #observeMemory(signal: AbortSignal): Promise<void> {
    const pods = await this.#options.memoryOfPods?.(signal).catch(() => undefined);
    if (pods) this.#observe({ kind: 'memory', at: this.#options.now(), pods });
  }

  /** Goes into the history of every fault that is watched. */
  #observe(event: ObservedEvent): void {
    for (const attempt of this.#watched) attempt.observe(event);
  }

  #open(name: string): Attempt {
    const plan = this.#planned(name);
    const type = scenarioTypeOf(this.#options.kind, plan.scenario.type);
    return new Attempt(type, plan, this.#toolkit, (error) =>
      this.#options.logger.error(
        { err: error, scenario: name },
        'code that judges or draws the fault failed',
      ),
    );
  }

  #planned(name: string): ScenarioPlan {
    const plan = this.#plans.find(({ scenario }) => scenario.name === name);
    if (!plan) throw new RangeError(`the spec has no scenario ${name}`);
    return plan;
  }
}

function healthEvent({ dependencies, lastUpdated, pods }: HealthSnapshot): ObservedEvent {
  return {
    kind: 'health',
    at: lastUpdated,
    pods: Object.fromEntries(pods.map(({ name, state }) => [name, state])),
    connected: dependencies.every((dependency) => dependency.connected),
  };
}

function baselineProblem(message: string): Finding {
  return { kind: 'Baseline', outcome: { ok: false, message } };
}

/**
 * The finding if the error of a control or a preparation shows that the invariant is broken; undefined: another error.
 * @throws the reason of `signal`; the error if the shell has to try again
 */
function brokenBy(error: unknown, signal: AbortSignal): Finding | undefined {
  signal.throwIfAborted();
  if (error instanceof NotFoundOutError) throw error;
  if (!(error instanceof InvariantBrokenError)) return undefined;
  return { kind: 'Baseline', outcome: { ok: false, violated: true, message: error.message } };
}
