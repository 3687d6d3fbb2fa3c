/** The rate limiter for the framework: its chapters and its scenarios. Pure. */
import { type ChaosDemoSpec, counted, formatDuration, parseDuration } from '../../api/index.ts';
import { type ChapterPlan, chaptersOf } from '../../demo/chapter.ts';
import type { Target } from '../../demo/observed.ts';
import type { SubjectDefinition } from '../../demo/subject.ts';
import { rateLimiterApi } from './api.ts';
import { cooldownSentence, isOfOneCaller } from './scenarios/cooldowns.ts';
import { SCENARIO_TYPES, scenarioTypeOf } from './scenarios/index.ts';
import { chaptersFor, planOf } from './scenarios/scenario-type.ts';
import { rateLimiterOf } from './schema.ts';

const STORY: readonly ChapterPlan[] = [
  { title: 'Welcome', stage: 'welcome' },
  { title: 'Cluster Health', stage: 'health' },
  { title: 'Setup', stage: 'setup', auto: true },
  ...SCENARIO_TYPES.flatMap(chaptersFor),
  { title: 'Demo Complete', stage: 'complete', auto: true },
];

/** Between two health checks: a few in each chapter, and no load. Milliseconds. */
const HEALTH_INTERVAL_MS = 2000;

/** An optional type has chapters only if a scenario is of it; chapters of the other types are Skipped then. */
function storyOf({ scenarios }: ChaosDemoSpec): ChapterPlan[] {
  const left = SCENARIO_TYPES.filter(
    ({ api, optional }) => optional && !scenarios.some(({ type }) => type === api.type),
  );
  const types = new Set<string>(left.map(({ api }) => api.type));
  return STORY.filter(({ of }) => of === undefined || !types.has(of));
}

/** The rate limiter, as the framework sees it. */
export const rateLimiterDefinition: SubjectDefinition = {
  api: rateLimiterApi,

  chapters: (spec) => chaptersOf(storyOf(spec), spec.scenarios),

  scenarios(spec) {
    const limiter = rateLimiterOf(spec);
    return spec.scenarios.map((scenario) => planOf(scenarioTypeOf(scenario.type), scenario, limiter));
  },

  fixturePrefix: () => 'demo-chaos-key',
  // Counts expire; there are no keys to remove.
  keepsFixtures: () => false,
  healthIntervalMs: () => HEALTH_INTERVAL_MS,

  waitsFor(spec, scenario) {
    const cooldowns = scenario === undefined ? 1 : (scenarioTypeOf(scenario.type).cooldownsToPrepare ?? 1);
    return cooldownSentence(rateLimiterOf(spec), cooldowns);
  },

  welcome(spec, target) {
    const limiter = rateLimiterOf(spec);
    const { limit } = limiter;
    const subject = `Rate limiter: ${podsOf(target)}, counting in ${target?.store ?? 'their Redis'}`;
    const faults = rateLimiterDefinition.scenarios(spec).map(({ faultTitle }) => faultTitle);
    const as = isOfOneCaller(limiter) ? 'As one caller, by its source address' : 'With its own keys';
    return `${subject}. ${as}, limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}. ${faults.join('. Then: ')}`;
  },
};

function podsOf(target: Target | undefined): string {
  const names = target?.pods.map(({ name }) => name) ?? [];
  const shown = names.slice(0, 5).join(', ');
  return `${counted(names.length, 'pod')} (${shown}${names.length > 5 ? ', …' : ''})`;
}
