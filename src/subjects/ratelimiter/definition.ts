/** The rate limiter for the framework: its chapters and its scenarios. Pure. */
import { type ChaosDemoSpec, counted, formatDuration, parseDuration } from '../../api/index.ts';
import { type ChapterPlan, chaptersOf } from '../../engine/chapter.ts';
import type { Target } from '../../engine/observed.ts';
import type { SubjectDefinition } from '../../engine/subject.ts';
import { rateLimiterApi } from './api.ts';
import { evidenceIn } from './run/replay.ts';
import { plansOf, SCENARIO_TYPES, scenarioTypeOf } from './scenarios/index.ts';
import { chaptersFor, planOf } from './scenarios/scenario-type.ts';
import { rateLimiterOf } from './spec/schema.ts';

/** A run whose chapters wait for a person or for some time is a show. */
function storyOf({ pace }: ChaosDemoSpec): readonly ChapterPlan[] {
  const isShown = pace.mode === 'Manual' || parseDuration(pace.dwell) > 0;
  return [
    { title: 'Welcome', stage: 'welcome' },
    { title: 'Cluster Health', stage: 'health' },
    { title: 'Setup', stage: 'setup', auto: true },
    ...SCENARIO_TYPES.flatMap(chaptersFor),
    { title: isShown ? 'Demo Complete' : 'Verdict', stage: 'complete', auto: true },
  ];
}

/** Between two health checks: a few in each chapter, and no load. Milliseconds. */
const HEALTH_INTERVAL_MS = 2000;

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
    const plans = plansOf(spec);
    const { cooldownMs = 0, isOneCaller = false } = plans[0] ?? {};
    if (!isOneCaller) return undefined;
    const { cooldownsToPrepare = 1 } = plans.find((plan) => plan.scenario.type === scenario?.type) ?? {};
    const times = cooldownsToPrepare === 1 ? '' : `${cooldownsToPrepare} times `;
    return `This waits ${times}up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  },

  draw: evidenceIn,

  welcome(spec, target) {
    const { limit } = rateLimiterOf(spec);
    const plans = plansOf(spec);
    const subject = `Rate limiter: ${podsOf(target)}, counting in ${target?.store ?? 'their Redis'}`;
    const faults = plans.map(({ faultTitle }) => faultTitle);
    const as = plans[0]?.isOneCaller ? 'As one caller, by its source address' : 'With its own keys';
    return `${subject}. ${as}, limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}. ${faults.join('. Then: ')}`;
  },
};

function podsOf(target: Target | undefined): string {
  const names = target?.pods.map(({ name }) => name) ?? [];
  const shown = names.slice(0, 5).join(', ');
  return `${counted(names.length, 'pod')} (${shown}${names.length > 5 ? ', …' : ''})`;
}
