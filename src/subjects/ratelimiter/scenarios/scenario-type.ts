/**
 * A type of scenario: which fault, which workload, and how the record is judged. Each is a folder with a {@link
 * ScenarioType}, listed in index.ts. All but `fault` and `workload` is pure.
 */
import type { Mechanism, StoreFault } from '@chaosdemo/redis-faults';
import { type FaultApi, formatDuration, parseDuration, type ScenarioSpec } from '../../../api/index.ts';
import type { ChapterPlan } from '../../../engine/chapter.ts';
import type { Scenario } from '../../../engine/subject.ts';
import type { History } from '../history/history.ts';
import type { Baseline } from '../interfaces/http/control-callers.ts';
import { admittedAtOnce, type RateLimit } from '../limits/rate-limit.ts';
import { mostCooldownMs } from '../limits/replenish.ts';
import { limitOf, timeoutOf } from '../spec/limit-of-spec.ts';
import { PART, type RateLimiterSpec } from '../spec/schema.ts';
import type { Toolkit } from '../tools.ts';
import type { Judge, OnFailure } from './judge.ts';
import type { SeenEvidence } from './timeline.ts';
import type { FaultTruth } from './truth.ts';
import type { Workload } from './workload.ts';

/**
 * A scenario of a spec, and the figures that follow from it and from its rate limiter. Durations in milliseconds. Pure.
 */
export abstract class ScenarioPlan<P extends object = object> {
  readonly scenario: ScenarioSpec;
  readonly limiter: RateLimiterSpec;
  /** With defaults if the member was left out: a CRD cannot default a member by the type next to it. */
  readonly parameters: P;
  readonly limit: RateLimit;
  /** What the limit admits at once. */
  readonly full: number;
  readonly countdownMs: number;
  /** How long one request to a pod may take, unless the scenario has its own patience. */
  readonly timeoutMs: number;
  /** Whether all its requests are of one caller. */
  readonly isOneCaller: boolean;
  /** The longest until the limit of the one caller is replenished, before the control and each part of a fault. */
  readonly cooldownMs: number;
  /** The true cause, to grade a diagnosis. */
  abstract readonly truth: FaultTruth;
  abstract readonly faultMs: number;
  abstract readonly settleMs: number;
  abstract readonly faultTitle: string;
  abstract readonly invariant: string;
  /** How long an attempt's keys have to be usable from its announcement on. */
  abstract readonly storyMs: number;
  /** How its fault of the store is injected; undefined: it has none. */
  readonly mechanism: Mechanism | undefined;
  /** How long that fault stays after the end from which callers have to recover. */
  readonly lingerMs: number = 0;
  /** How often an attempt waits, before it is ready, until the limit of the one caller is replenished. */
  readonly cooldownsToPrepare: number = 1;
  /** Requests per second of its steady traffic over all pods, if there is any. */
  readonly rate: number | undefined;

  constructor(
    scenario: ScenarioSpec,
    limiter: RateLimiterSpec,
    { member, schema }: { readonly member: string; readonly schema: { parse(value: unknown): P } },
  ) {
    this.scenario = scenario;
    this.limiter = limiter;
    this.parameters = (scenario[member] as P | undefined) ?? schema.parse({});
    this.limit = limitOf(limiter);
    this.full = admittedAtOnce(this.limit);
    this.countdownMs = parseDuration(scenario.countdown);
    this.timeoutMs = timeoutOf(limiter);
    this.isOneCaller = limiter.http.identity === 'SourceAddress';
    this.cooldownMs = this.isOneCaller ? mostCooldownMs(this.limit) : 0;
  }

  /** Requests per second that it sends to this many pods, bursts apart. */
  trafficTo(_pods: number): number {
    return this.rate ?? 0;
  }

  /** Whether it makes another server the primary of the store. */
  get failsOver(): boolean {
    return this.mechanism?.lasts === 'ForGood';
  }

  /** Why it does not fit into one window, with what to change; undefined: it does. */
  protected tooLongForWindow(fields: string): string | undefined {
    const { window } = this.limiter.limit;
    if (this.storyMs < this.limit.windowMs) return undefined;
    return `scenario ${this.scenario.name}: ${fields} take ${formatDuration(this.storyMs)} and must fit into one ${PART}.limit.window of ${window}: reduce these, or lengthen the window`;
  }

  /** Callers of one attempt on this many pods, about; each takes an account, if those are named. */
  callersOn(_pods: number): number {
    return 1;
  }

  /**
   * Why no run on this many pods can end as expected, with what to change; undefined: one can. The only statement of
   * what must fit together: consulted before a run begins, and again with the baseline, before anything is injected.
   */
  abstract unprovable(pods: number, baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>): string | undefined;
}

export interface ScenarioType<A = unknown, P extends ScenarioPlan = ScenarioPlan> {
  readonly api: FaultApi;
  /** Its name in the titles of chapters. */
  readonly title: string;
  plan(scenario: ScenarioSpec, limiter: RateLimiterSpec): P;
  judge(history: History, onFailure?: OnFailure): Judge<A>;
  /** Why no run records such a history, which has ended; undefined: one may. */
  impossible?(history: History): string | undefined;
  /** Draws a history. @param judge that has seen all of it */
  evidence(history: History, judge: Judge<A>): SeenEvidence | undefined;
  /** The fault of the store; left out: the requests are all that happens. Opens no connection yet. `fixture`: of the attempt, once it is prepared. */
  fault?(plan: P, toolkit: Toolkit, fixture: () => string): StoreFault;
  /** The requests, and the reads of counters. Opens no connection yet. */
  workload(plan: P, toolkit: Toolkit): Workload<A>;
}

/** A scenario as the framework needs it. */
export function planOf(type: ScenarioType, scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  const plan = type.plan(scenario, limiter);
  const { countdownMs, faultMs, faultTitle, invariant, lingerMs, rate, settleMs, storyMs } = plan;
  return {
    name: scenario.name,
    type: scenario.type,
    expect: scenario.expect,
    countdownMs,
    storyMs,
    load: rate !== undefined,
    // A pause is counted by the store and can be ended early; a burst has ended before it can be checked.
    releasable: type.fault !== undefined,
    onOrphan: type.fault === undefined ? 'Retry' : 'Inquire',
    faultTitle,
    invariant,
    faultMs: faultMs + lingerMs,
    settleMs: settleMs - lingerMs,
  };
}

/** The chapters of a type, in the order of the story; a fault of the store has a recovery. */
export function chaptersFor({ api, fault, title }: ScenarioType): ChapterPlan[] {
  const chapters: Omit<ChapterPlan, 'of'>[] = [
    { title: `${title} Chaos`, stage: 'chaos' },
    { title: `${title} Detection`, stage: 'detection' },
    { title: `${title} Diagnosis`, stage: 'diagnosis' },
    ...(fault ? [{ title: 'Recovery', stage: 'recovery', auto: true } as const] : []),
  ];
  return chapters.map((chapter) => ({ ...chapter, of: api.type }));
}
