/**
 * A type of scenario: which fault, which workload, and how the record is judged. Each is a folder with a {@link
 * ScenarioType}, listed by its subject. All but `fault` and `workload` is pure.
 */

import type { StoreFault } from '@chaosdemo/redis-faults';
import type { z } from 'zod';
import {
  type ChaosDemoSpec,
  counted,
  type FaultApi,
  type ScenarioSpec,
  scenariosOf,
} from '../../api/index.ts';
import { type Chapter, type ChapterPlan, chaptersOf } from '../../engine/chapter.ts';
import type { Target } from '../../engine/observed.ts';
import type { Scenario, SubjectDefinition } from '../../engine/subject.ts';
import type { History } from '../history/history.ts';
import type { Setup } from '../history/setup.ts';
import type { PodsSpec } from '../spec/pods-schema.ts';
import type { JudgedBy } from './judge.ts';
import type { Judged, ScenarioPlan } from './scenario-plan.ts';
import type { Controls, Toolkit } from './tools.ts';
import type { Workload } from './workload.ts';

export interface ScenarioType<
  A = unknown,
  P extends ScenarioPlan = ScenarioPlan,
  T extends Toolkit = Toolkit,
  S extends Setup = Setup,
> extends JudgedBy<Judged<S, P>, A> {
  readonly api: FaultApi;
  /** Whether profiles explain its anomalies. */
  readonly isExplained: boolean;
  plan(scenario: ScenarioSpec, part: PodsSpec): P;
  /** What its history begins with, besides what all begin with. */
  setup(plan: P, toolkit: T): object;
  partIn(setup: S): PodsSpec;
  /** Why no run records such a history, which has ended; undefined: one may. */
  impossible?(history: History<S>, plan: P): string | undefined;
  /** The fault of the store; left out: the requests are all that happens. Opens no connection yet. `fixture`: of the attempt, once it is prepared. */
  fault?(plan: P, toolkit: T, fixture: () => string): StoreFault;
  /** The requests, and the reads of counters. Opens no connection yet. */
  workload(plan: P, toolkit: T): Workload<A>;
}

/** A scenario as the framework needs it. */
export function scenarioOf(plan: ScenarioPlan): Scenario {
  const { countdownMs, faultMs, faultTitle, invariant, lingerMs, rate, settleMs, storyMs } = plan;
  const { expect, name, type } = plan.scenario;
  return {
    name,
    type,
    expect,
    countdownMs,
    storyMs,
    load: rate !== undefined,
    // A pause is counted by the store and can be ended early; a burst has ended before it can be checked.
    releasable: plan.mechanism !== undefined,
    faultTitle,
    invariant,
    faultMs: faultMs + lingerMs,
    settleMs: settleMs - lingerMs,
  };
}

/** The chapters of a type, in the order of the story; a fault of the store has a recovery. */
function chaptersFor({ api, fault, isExplained }: ScenarioType): ChapterPlan[] {
  // StoreOutage: "Store Outage".
  const title = api.type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  const chapters: Omit<ChapterPlan, 'of'>[] = [
    { title: `${title} Chaos`, stage: 'chaos' },
    { title: `${title} Detection`, stage: 'detection' },
    ...(isExplained ? [{ title: `${title} Diagnosis`, stage: 'diagnosis' } as const] : []),
    ...(fault ? [{ title: 'Recovery', stage: 'recovery', auto: true } as const] : []),
  ];
  return chapters.map((chapter) => ({ ...chapter, of: api.type }));
}

/** The chapters of a run. */
export function storyOf({ api, types }: Pick<SubjectKind, 'api' | 'types'>, spec: ChaosDemoSpec): Chapter[] {
  const story: readonly ChapterPlan[] = [
    { title: 'Welcome', stage: 'welcome' },
    { title: 'Cluster Health', stage: 'health' },
    { title: 'Setup', stage: 'setup', auto: true },
    ...types.flatMap(chaptersFor),
    { title: spec.pace.lastChapter, stage: 'complete', auto: true },
  ];
  return chaptersOf(story, scenariosOf(spec, api));
}

/** "2 pods (a, b)" */
export function podsOf(target: Target | undefined): string {
  const names = target?.pods.map(({ name }) => name) ?? [];
  const shown = names.slice(0, 5).join(', ');
  return `${counted(names.length, 'pod')} (${shown}${names.length > 5 ? ', …' : ''})`;
}

export interface SubjectKind<S extends PodsSpec = PodsSpec>
  extends Pick<SubjectDefinition, 'api' | 'waitsFor' | 'welcome'> {
  /** In the order of the story. */
  readonly types: readonly ScenarioType[];
  /** Its part of a spec, complete. @throws TypeError if it is missing, which the API server's validation rules out */
  partOf(spec: ChaosDemoSpec): S;
  /** What a history of it begins with, and the member of that with the part of the spec. */
  readonly setup: z.ZodType<Setup>;
  readonly recordedAs: string;
  /** Adds the tools of its controls and workloads. */
  tools(tools: Toolkit, part: S): Toolkit;
  /**
   * The controls before any fault.
   * @param key the names of all keys of the control begin with it
   * @throws Error with the problem and what to do
   */
  control(
    toolkit: Toolkit,
    of: { readonly key: string; readonly plans: readonly ScenarioPlan[]; readonly spec: ChaosDemoSpec },
    signal: AbortSignal,
  ): Promise<Controls>;
  /** Whether figures of its part of the spec are not known before Setup has measured them. */
  isOpen?(part: S): boolean;
  /** Fields that do not fit together, with what to change; undefined: they do. */
  unsuited?(part: S): string | undefined;
  /** For callers that are accounts: how long one is left alone after its last request; milliseconds. */
  accountRestMs?(part: S): number;
  /** Why it cannot use a Cluster, with what to change; undefined: it can. */
  noCluster?(part: S): string | undefined;
}

/** @throws RangeError for a type that is none of these */
export function scenarioTypeOf({ types }: Pick<SubjectKind, 'types'>, type: string): ScenarioType {
  const found = types.find(({ api }) => api.type === type);
  if (!found) throw new RangeError(`scenario.type: there is no scenario of type "${type}"`);
  return found;
}

/** The scenarios of a spec, in their order. */
export function plansOf(kind: SubjectKind, spec: ChaosDemoSpec): ScenarioPlan[] {
  const part = kind.partOf(spec);
  return scenariosOf(spec, kind.api).map((scenario) =>
    scenarioTypeOf(kind, scenario.type).plan(scenario, part),
  );
}
