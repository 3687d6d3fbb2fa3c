/** Touches a key-value service: one key a scenario, written again and again while a replica is deaf. */
import type { ChaosDemoSpec } from '../../../../src/api/index.ts';
import type { Clock } from '../../../../src/engine/clock.ts';
import type { Activity, SubjectEffect } from '../../../../src/engine/effects.ts';
import type { Finding } from '../../../../src/engine/findings.ts';
import type { FaultReport } from '../../../../src/engine/observed.ts';
import type { Emit, Permit, SubjectDriver } from '../../../../src/engine/subject.ts';
import { staleReplicaOf } from './api.ts';
import type { Replica } from './replica.ts';
import { StaleWatch } from './stale-watch.ts';

const LOAD_EVERY_MS = 20;
const SAMPLE_EVERY_MS = 50;
const HOUR_MS = 3_600_000;

export interface KeyValueDriverOptions {
  readonly clock: Clock;
  readonly spec: ChaosDemoSpec;
  /** The last of them is made deaf, the first is written to. */
  readonly replicas: readonly Replica[];
  readonly watchPreconditions: (emit: Emit, signal: AbortSignal) => Promise<void>;
}

type EffectOf<K extends SubjectEffect['kind']> = Extract<SubjectEffect, { kind: K }>;

export class KeyValueDriver implements SubjectDriver {
  readonly #options: KeyValueDriverOptions;
  readonly #watches = new Map<string, StaleWatch>();
  readonly #reports = new Map<string, FaultReport>();
  #probes = 0;

  constructor(options: KeyValueDriverOptions) {
    this.#options = options;
  }

  async perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding> {
    switch (effect.kind) {
      case 'MeasureBaseline': {
        const ok = (await this.#reaches(effect.fixture)).every(Boolean);
        await this.#first.remove(effect.fixture);
        const message = ok ? 'A write reaches every replica' : 'A write does not reach every replica';
        return { kind: 'Baseline', outcome: { ok, message } };
      }
      case 'Prepare':
        return await this.#prepare(effect);
      case 'Inject':
        return await this.#inject(effect, permit);
      case 'Inquire': {
        const orphan = (await this.#deaf.timesDeaf()) === effect.marker ? 'NotInjected' : 'Injected';
        return { kind: 'Orphan', fault: effect.fault, orphan };
      }
      case 'Diagnose':
        return {
          kind: 'Diagnosis',
          fault: effect.fault,
          profile: effect.profile,
          report: { message: 'no profile explains this' },
        };
      case 'Recover': {
        await this.#untilHeard(signal);
        const now = this.#options.clock.now();
        const report = {
          workedAt: now,
          restedAt: now,
          measures: [],
          message: 'A write reaches every replica again',
        };
        return { kind: 'Recovery', fault: effect.fault, report };
      }
      case 'Restore':
        return await this.#restore(effect);
      default:
        return effect satisfies never;
    }
  }

  async runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void> {
    switch (activity.kind) {
      case 'PollHealth':
        return await this.#every(
          activity.intervalMs,
          async () => emit(await this.#look(activity.intervalMs)),
          signal,
        );
      case 'RecheckPreconditions':
        return await this.#options.watchPreconditions(emit, signal);
      case 'AwaitEnd':
        return await this.#awaitEnd(activity.fault, emit, signal);
      case 'Watch': {
        const watch = this.#watchOf(activity);
        return await this.#every(
          SAMPLE_EVERY_MS,
          async () => emit(await watch.sample(this.#reports.get(activity.fault))),
          signal,
        );
      }
      case 'Load': {
        const watch = this.#watchOf(activity);
        return await this.#every(LOAD_EVERY_MS, async () => await watch.write(), signal);
      }
      default:
        return activity satisfies never;
    }
  }

  async close(): Promise<void> {}

  get #first(): Replica {
    const [first] = this.#options.replicas;
    if (!first) throw new Error('there is no replica');
    return first;
  }

  get #deaf(): Replica {
    return this.#options.replicas.at(-1) ?? this.#first;
  }

  async #prepare({ fault, fixture, sequence }: EffectOf<'Prepare'>): Promise<Finding> {
    if (!(await this.#reaches(fixture)).every(Boolean)) {
      return { kind: 'NotPrepared', fault, message: `${fixture} does not reach every replica` };
    }
    const marker = await this.#deaf.timesDeaf();
    const usableUntil = this.#options.clock.now() + HOUR_MS;
    const prepared = { fixture, sequence, usableUntil, marker, message: `${fixture} is on every replica` };
    return { kind: 'Prepared', fault, prepared };
  }

  async #inject({ fixture, id, until }: EffectOf<'Inject'>, permit: Permit): Promise<Finding> {
    const { clock } = this.#options;
    const refusal = permit.refusal();
    if (refusal !== undefined) {
      return { kind: 'Fault', fault: id, report: { missed: true, message: refusal, evidence: [] } };
    }
    const startedAt = clock.now();
    await this.#deaf.makeDeaf(until - startedAt);
    const heard = await this.#probe();
    const felt = heard.slice(0, -1).some(Boolean) && heard.at(-1) === false;
    const message = felt
      ? `${this.#deaf.name} takes no writes: one that another has is not there`
      : `${this.#deaf.name} was set to take no writes, and a write is seen on ${heard.filter(Boolean).length} replicas`;
    const proof = felt ? ('Confirmed' as const) : ('Mismatch' as const);
    const report: FaultReport = { startedAt, proof, message, evidence: [`${fixture}: ${message}`] };
    this.#reports.set(id, report);
    return { kind: 'Fault', fault: id, report };
  }

  async #awaitEnd(fault: string, emit: Emit, signal: AbortSignal): Promise<void> {
    await this.#untilHeard(signal);
    const report = this.#reports.get(fault);
    if (!report || signal.aborted) return;
    const ended = { ...report, endedAt: this.#options.clock.now() };
    this.#reports.set(fault, ended);
    emit({ kind: 'Fault', fault, report: ended });
  }

  async #restore({ fixtures, id, release }: EffectOf<'Restore'>): Promise<Finding> {
    if (release) await this.#deaf.endDeafness();
    const faultOver = (await this.#probe()).every(Boolean);
    for (const fixture of fixtures) await this.#first.remove(fixture);
    const message = faultOver
      ? `Restored: ${fixtures.length} keys removed`
      : 'a replica still takes no writes';
    return { kind: 'Restored', effect: id, restored: { ok: faultOver, faultOver, message } };
  }

  async #look(intervalMs: number): Promise<Finding> {
    const { clock, replicas } = this.#options;
    const ready = await Promise.all(replicas.map((replica) => replica.isReady().catch(() => false)));
    const now = clock.now();
    const pods = replicas.map(({ name }, i) => ({
      name,
      state: ready[i] ? 'ready' : 'unreachable',
    }));
    const issues = pods.flatMap(({ name, state }) => (state === 'ready' ? [] : [`${name} does not answer`]));
    const snapshot = {
      pods,
      dependencies: [],
      hasIssues: issues.length > 0,
      issues,
      lastUpdated: now,
      validUntil: now + intervalMs + 5000,
    };
    return { kind: 'Health', snapshot };
  }

  #watchOf({ fault, fixture, scenario }: { fault: string; fixture: string; scenario: string }): StaleWatch {
    const { clock, replicas, spec } = this.#options;
    const known = this.#watches.get(fault);
    if (known) return known;
    const parameters = staleReplicaOf(spec.scenarios.find(({ name }) => name === scenario) ?? ({} as never));
    const watch = new StaleWatch({ clock, replicas, fault, key: fixture, parameters });
    this.#watches.set(fault, watch);
    return watch;
  }

  /** Which replicas have a write of a moment ago. */
  async #reaches(key: string): Promise<boolean[]> {
    this.#probes += 1;
    const value = `probe-${this.#probes}`;
    await this.#first.write(key, value);
    return await Promise.all(
      this.#options.replicas.map(async (replica) => (await replica.read(key)) === value),
    );
  }

  /** Each probe has its own key: several may run at once, and each removes its key. */
  async #probe(): Promise<boolean[]> {
    const key = `chaosdemo-probe-${this.#probes}`;
    const reached = await this.#reaches(key);
    await this.#first.remove(key);
    return reached;
  }

  async #untilHeard(signal: AbortSignal): Promise<void> {
    while (!(await this.#probe()).every(Boolean)) await this.#options.clock.sleep(SAMPLE_EVERY_MS, signal);
  }

  async #every(ms: number, act: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await act();
      await this.#options.clock.sleep(ms, signal).catch(() => undefined);
    }
  }
}
