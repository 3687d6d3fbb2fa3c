/**
 * A driver of rate limiters and what it has found, recorded as the shell records
 * it; the test requests effects and activities.
 */

import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { PerServer, RedisTarget } from '@chaosdemo/redis-faults';
import {
  type ChaosDemo,
  type ChaosDemoSpec,
  DETECTED_AFTER,
  RECOVERED_AFTER,
  specSchema,
  truncate,
} from '../../src/api/index.ts';
import { createDiagnosisProfiles } from '../../src/diagnosis/index.ts';
import type { Activity, SubjectEffect } from '../../src/engine/effects.ts';
import { callsForDecision, type Finding, record } from '../../src/engine/findings.ts';
import { controlName } from '../../src/engine/fixtures.ts';
import { type InvariantReading, nothingObserved, type Observed } from '../../src/engine/observed.ts';
import type { Permit } from '../../src/engine/subject.ts';
import type { FaultEvidence } from '../../src/evidence/index.ts';
import { createSystemClock } from '../../src/operator/adapters/system-clock.ts';
import { ActivityRunner } from '../../src/operator/shell/activity-runner.ts';
import { ConnectionBudget } from '../../src/subjects/http/connection-budget.ts';
import { KINDS } from '../../src/subjects/index.ts';
import { rateLimiterApi, rateLimiterKind } from '../../src/subjects/ratelimiter/kind.ts';
import { PodsDriver, type PodsDriverOptions } from '../../src/subjects/run/driver.ts';
import { evidenceOf, replay } from '../../src/subjects/run/replay.ts';
import { type SubjectKind, scenarioTypeOf } from '../../src/subjects/scenarios/scenario-type.ts';
import type { PodsTarget } from '../../src/subjects/targets/target.ts';
import type { LimiterChanges } from './demo.ts';
import { until } from './until.ts';

export const never = new AbortController().signal;
/** Nothing stands against an injection. */
export const PERMITTED: Permit = { refusal: () => undefined };

/** The same, and does this right before the command is sent. */
export function permitAnd(act: () => void): Permit {
  return {
    refusal() {
      act();
      return undefined;
    },
  };
}

/**
 * A spec of a rate limiter, defaults filled in; `limiter` is its part of the subject. What it leaves out of the limit is
 * that of the bundled one.
 */
export function limiterSpec(limiter: LimiterChanges, scenarios?: readonly object[]): ChaosDemoSpec {
  const required = {
    selector: { matchLabels: { app: 'x' } },
    redis: { serviceName: 'redis' },
  };
  return specSchema([rateLimiterApi]).parse({
    rateLimiter: {
      ...required,
      ...limiter,
      ...((limiter.http ?? limiter.limit) && { limit: { requests: 10, window: '60s', ...limiter.limit } }),
    },
    ...(scenarios && { scenarios }),
  });
}

export interface DrivenOptions
  extends Omit<PodsTarget, 'redis'>,
    Partial<
      Pick<PodsDriverOptions, 'checkStore' | 'findStore' | 'lookAtPods' | 'mayBePaused' | 'noteFault'>
    > {
  readonly spec: ChaosDemoSpec;
  /** Default: a rate limiter. */
  readonly kind?: SubjectKind;
  /** One server, or the masters of a Cluster. */
  readonly redis: RedisTarget | PerServer<RedisTarget>;
}

export class DrivenLimiter {
  readonly #kind: SubjectKind;
  readonly #driver: PodsDriver;
  readonly #lines: string[] = [];
  readonly #activities: ActivityRunner;
  #observed: Observed;
  #wanted: readonly Activity[] = [];
  #ends: Activity[] = [];
  /** Findings that the shell would decide on at once. */
  decisive = 0;

  constructor({
    spec,
    checkStore,
    findStore,
    lookAtPods,
    noteFault,
    kind = rateLimiterKind,
    mayBePaused = false,
    redis,
    ...target
  }: DrivenOptions) {
    this.#kind = kind;
    const clock = createSystemClock();
    const servers: PerServer<RedisTarget> = 'host' in redis ? [redis] : redis;
    this.#observed = nothingObserved(clock.now());
    this.#driver = new PodsDriver({
      kind,
      target: { ...target, redis: servers },
      // Its faults begin at once.
      spec: { ...spec, scenarios: spec.scenarios.map((each) => ({ ...each, countdown: '0s' })) },
      generation: 1,
      now: () => clock.now(),
      budget: new ConnectionBudget(10_800).onBehalfOf('shop'),
      logger: { error() {}, info() {}, warn() {} },
      mayBePaused,
      lookAtPods: lookAtPods ?? (async () => ({ replaced: [], containers: new Map() })),
      diagnosis: createDiagnosisProfiles(),
      ...(noteFault && { noteFault }),
      checkStore: checkStore ?? (async () => ({ state: 'free' })),
      findStore: findStore ?? (async () => servers),
      watchPreconditions: async () => {},
    });
    this.#activities = new ActivityRunner(
      async (activity, signal) =>
        await this.#driver.runActivity(activity, (finding) => this.#record(finding), signal),
      (activity, error) => {
        throw new Error(`${activity.kind} failed`, { cause: error });
      },
    );
  }

  get observed(): Observed {
    return this.#observed;
  }

  /** What was seen around the fault `f`. */
  get evidence(): FaultEvidence | undefined {
    const [setup, ...events] = this.lines.map((line) => JSON.parse(line));
    return setup && evidenceOf({ setup, events }, scenarioTypeOf(this.#kind, setup.scenario.type));
  }

  /** The lines of the history of the fault `f` so far. */
  get lines(): readonly string[] {
    this.#lines.push(...(this.#driver.history('f')?.take() ?? []));
    return this.#lines;
  }

  async perform(effect: SubjectEffect, permit = PERMITTED, signal = never): Promise<Finding> {
    const finding = await this.#driver.perform(effect, permit, signal);
    this.#record(finding);
    return finding;
  }

  /** Continues with these, and waits for the end of an active fault, as `decide` does. */
  converge(activities: readonly Activity[]): void {
    this.#wanted = activities;
    this.#activities.converge([...activities, ...this.#ends]);
  }

  /** Measures the baseline, on keys that no other measurement uses. */
  async measureBaseline(): Promise<void> {
    const fixture = controlName({ metadata: { uid: randomUUID() } } as ChaosDemo, 1, Date.now());
    await this.perform({ kind: 'MeasureBaseline', id: 'b', fixture });
  }

  /** Measures the baseline and sets up `key` for the fault `f`. @throws where either fails */
  async prepare(scenario: string, key: string): Promise<void> {
    await this.measureBaseline();
    if (!this.#observed.baseline?.ok) throw new Error(this.#observed.baseline?.message);
    await this.perform({ kind: 'Prepare', id: 'p', fault: 'f', scenario, fixture: key });
    const failure = this.#observed.prepareFailures['f'];
    if (failure !== undefined) throw new Error(failure);
    // A control of the preparation may contradict the baseline.
    if (!this.#observed.baseline?.ok) throw new Error(this.#observed.baseline?.message);
  }

  /** Injects the fault `f` now, for `ms`. */
  async inject(scenario: string, ms: number, permit = PERMITTED) {
    const now = Date.now();
    const moment = { plannedAt: now, until: now + ms };
    await this.perform({ kind: 'Inject', id: 'f', scenario, ...moment }, permit);
    const report = this.#observed.faults['f'];
    if (report?.proof !== undefined && report.endedAt === undefined) {
      this.#ends = [{ kind: 'AwaitEnd', fault: 'f', scenario }];
      this.converge(this.#wanted);
    }
    return report;
  }

  /**
   * Leads through the whole fault `f`, from its key to the end of its watch, and returns what that came to.
   * @throws where the key cannot be set up, or the fault was not injected
   */
  async leadThrough(
    scenario: string,
    key: string,
    ms: number,
    permit = PERMITTED,
  ): Promise<InvariantReading> {
    await this.prepare(scenario, key);
    this.converge([{ kind: 'Watch', fault: 'f', scenario }]);
    const report = await this.inject(scenario, ms, permit);
    // No watch over it would ever be whole.
    if (!report || report.missed) throw new Error(report?.message);
    const whole = (): InvariantReading | undefined => {
      const reading = this.#observed.readings['f'];
      return reading?.complete ? reading : undefined;
    };
    const reading = await until(whole, { what: 'the watch to end' });
    await this.requireSameFromHistory(reading);
    return reading;
  }

  /** @throws unless the lines of the history alone give the same figures */
  async requireSameFromHistory({ measures, summary }: InvariantReading): Promise<void> {
    const [scenario] = await replay(this.lines, KINDS);
    if (scenario?.result === undefined) return;
    // A run adds these to its status; its reading has the moments themselves.
    const { [DETECTED_AFTER]: _, [RECOVERED_AFTER]: __, ...figures } = scenario.measures ?? {};
    const again = { measures: figures, summary: scenario.summary };
    const live = { measures, summary: truncate(summary, 32) };
    if (!isDeepStrictEqual(again, live)) {
      throw new Error(`its history gives ${JSON.stringify(again)}, and the run gave ${JSON.stringify(live)}`);
    }
  }

  /** Looks for `settleMs` at what the fault `f` left. */
  async recover(scenario: string, settleMs: number): Promise<Finding> {
    return await this.perform({ kind: 'Recover', id: 'r', fault: 'f', scenario, settleMs });
  }

  async close(): Promise<void> {
    await this.#activities.close();
    await this.#driver.close();
  }

  #record(finding: Finding): void {
    if (callsForDecision(this.#observed, finding)) this.decisive += 1;
    this.#observed = record(this.#observed, finding);
  }
}
