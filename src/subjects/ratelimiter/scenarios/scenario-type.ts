/**
 * A type of scenario: which fault, which workload, and how the record is judged. Each is a folder with a {@link
 * ScenarioType}, listed in index.ts. All but `fault` and `workload` is pure.
 */
import type { Mechanism, StoreFault } from '@chaosdemo/redis-faults';
import type { FaultApi, ScenarioSpec } from '../../../api/index.ts';
import { formatDuration, parseDuration } from '../../../api/index.ts';
import type { ChapterPlan } from '../../../engine/chapter.ts';
import type { Scenario } from '../../../engine/subject.ts';
import type { History } from '../history/history.ts';
import type { Baseline } from '../interfaces/baseline.ts';
import { PART, type RateLimiterSpec } from '../spec/schema.ts';
import type { Toolkit } from '../tools.ts';
import type { Judge, OnFailure } from './judge.ts';
import type { SeenEvidence } from './timeline.ts';
import type { FaultTruth } from './truth.ts';
import type { Workload } from './workload.ts';

export interface ScenarioType<A = unknown> {
  readonly api: FaultApi;
  /** The true cause, to grade a diagnosis. */
  truth(scenario: ScenarioSpec, limiter: RateLimiterSpec): FaultTruth;
  /** Its name in the titles of chapters. */
  readonly title: string;
  /** How long an attempt's keys have to be usable from its announcement on; milliseconds. */
  storyMs(scenario: ScenarioSpec, limiter: RateLimiterSpec): number;
  /**
   * How often an attempt waits, before it is ready, until the limit of the one caller is replenished; default: once.
   */
  readonly cooldownsToPrepare?: number;
  /** What the framework needs to know of a scenario; {@link planOf} derives the rest. */
  plan(
    scenario: ScenarioSpec,
    limiter: RateLimiterSpec,
  ): Pick<Scenario, 'faultMs' | 'faultTitle' | 'invariant' | 'settleMs'>;
  /** Requests per second of its steady traffic over all pods, if there is any. */
  rate?(scenario: ScenarioSpec): number;
  /** Requests per second that it sends to this many pods, bursts apart; default: none. */
  traffic?(scenario: ScenarioSpec, limiter: RateLimiterSpec, pods: number): number;
  /**
   * Why no run on this many pods can end as expected, with what to change; undefined: one can. The only statement of
   * what must fit together: consulted before a run begins, and again with the baseline, before anything is injected.
   */
  unprovable(
    scenario: ScenarioSpec,
    limiter: RateLimiterSpec,
    pods: number,
    baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>,
  ): string | undefined;
  judge(history: History, onFailure?: OnFailure): Judge<A>;
  /** Why no run records such a history, which has ended; undefined: one may. */
  impossible?(history: History): string | undefined;
  /** Draws a history. @param judge that has seen all of it */
  evidence(history: History, judge: Judge<A>): SeenEvidence | undefined;
  /** The fault of the store; left out: the requests are all that happens. Opens no connection yet. `fixture`: of the attempt, once it is prepared. */
  readonly fault?: (toolkit: Toolkit, scenario: ScenarioSpec, fixture: () => string) => StoreFault;
  /** How that fault is injected. */
  mechanism?(scenario: ScenarioSpec, limiter: RateLimiterSpec): Mechanism;
  /** How long that fault stays after the end from which callers have to recover; milliseconds, default: 0. */
  lingerMs?(scenario: ScenarioSpec, limiter: RateLimiterSpec): number;
  /** The requests, and the reads of counters. Opens no connection yet. */
  workload(scenario: ScenarioSpec, toolkit: Toolkit): Workload<A>;
}

/**
 * The parameters of scenarios, with defaults filled in if the member was left out: a CRD cannot default a member by the
 * type next to it.
 */
export function parametersBy<P extends object>(api: {
  readonly member: string;
  readonly schema: { parse(value: unknown): P };
}): (scenario: ScenarioSpec) => P {
  const defaults = api.schema.parse({});
  return (scenario) => (scenario[api.member] as P | undefined) ?? defaults;
}

/** A scenario as the framework needs it. */
export function planOf(
  { api, fault, lingerMs, plan, rate, storyMs }: ScenarioType,
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
): Scenario {
  const { faultMs, settleMs, ...planned } = plan(scenario, limiter);
  const staysMs = lingerMs?.(scenario, limiter) ?? 0;
  return {
    name: scenario.name,
    type: api.type,
    expect: scenario.expect,
    countdownMs: parseDuration(scenario.countdown),
    storyMs: storyMs(scenario, limiter),
    load: rate !== undefined,
    // A pause is counted by the store and can be ended early; a burst has ended before it can be checked.
    releasable: fault !== undefined,
    onOrphan: fault === undefined ? 'Retry' : 'Inquire',
    ...planned,
    faultMs: faultMs + staysMs,
    settleMs: settleMs - staysMs,
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

/** The sum of durations in the format of the spec; milliseconds. */
export function sumOf(...durations: readonly string[]): number {
  return durations.reduce((sum, each) => sum + parseDuration(each), 0);
}

/** Why a scenario does not fit into one window, with what to change; undefined: it does. */
export function tooLongForWindow(
  { name }: ScenarioSpec,
  { limit }: RateLimiterSpec,
  storyMs: number,
  fields: string,
): string | undefined {
  if (storyMs < parseDuration(limit.window)) return undefined;
  return `scenario ${name}: ${fields} take ${formatDuration(storyMs)} and must fit into one ${PART}.limit.window of ${limit.window}: reduce these, or lengthen the window`;
}
