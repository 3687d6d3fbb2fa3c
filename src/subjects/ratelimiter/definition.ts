/** What the framework is told of the rate limiter: its eleven chapters and its scenarios. Pure. */
import {
  type ChaosDemoSpec,
  formatDuration,
  parseDuration,
  type RateLimiterSpec,
  type ScenarioSpec,
  type ScenarioType,
} from '../../api/index.ts';
import type { Chapter, Stage } from '../../demo/chapter.ts';
import type { Observed } from '../../demo/observed.ts';
import type { Scenario, SubjectDefinition } from '../../demo/subject.ts';
import { burstTrafficConfig, redisPauseConfig } from './scenarios.ts';

const STORY: readonly { title: string; stage: Stage; of?: ScenarioType; auto?: boolean }[] = [
  { title: 'Welcome', stage: 'welcome' },
  { title: 'Cluster Health', stage: 'health' },
  { title: 'Setup', stage: 'setup', auto: true },
  { title: 'Counter Drift Chaos', stage: 'chaos', of: 'CounterDrift' },
  { title: 'Counter Drift Detection', stage: 'detection', of: 'CounterDrift' },
  { title: 'Counter Drift Diagnosis', stage: 'diagnosis', of: 'CounterDrift' },
  { title: 'Recovery', stage: 'recovery', of: 'CounterDrift', auto: true },
  { title: 'Ghost Allowing Chaos', stage: 'chaos', of: 'GhostAllowing' },
  { title: 'Ghost Allowing Detection', stage: 'detection', of: 'GhostAllowing' },
  { title: 'Ghost Allowing Diagnosis', stage: 'diagnosis', of: 'GhostAllowing' },
  { title: 'Demo Complete', stage: 'complete', auto: true },
];

const CONFIGS: Record<ScenarioType, (scenario: ScenarioSpec, limiter: RateLimiterSpec) => Scenario> = {
  CounterDrift: redisPauseConfig,
  GhostAllowing: burstTrafficConfig,
};

/** The rate limiter, as the framework sees it. */
export const rateLimiterDefinition: SubjectDefinition = {
  chapters(spec) {
    const scenarios = spec.dryRun ? [] : spec.scenarios;
    return STORY.map(({ title, stage, of, auto }, index): Chapter => {
      const scenario = of && scenarios.find(({ type }) => type === of)?.name;
      return {
        number: index + 1,
        title,
        stage,
        ...(scenario === undefined ? {} : { scenario }),
        skipped: of !== undefined && scenario === undefined,
        auto: auto ?? false,
      };
    });
  },

  scenarios(spec) {
    const limiter = rateLimiterOf(spec);
    return spec.scenarios.map((scenario) => CONFIGS[scenario.type](scenario, limiter));
  },

  keyPrefix: (spec) => rateLimiterOf(spec).limit.keyPrefix,
  healthIntervalMs: (spec) => parseDuration(rateLimiterOf(spec).health.pollInterval),

  // A burst is over before anybody could end it.
  releasable: (type) => type === 'CounterDrift',

  welcome(spec, observed) {
    const { limit } = rateLimiterOf(spec);
    const subject = `${spec.subject.displayName}: ${podsOf(observed)} over ${observed.target?.store ?? 'their Redis'}`;
    if (spec.dryRun) return `${subject}. Dry run: looks at everything and injects nothing`;
    const faults = rateLimiterDefinition.scenarios(spec).map(({ faultTitle }) => faultTitle);
    return `${subject}. On keys of its own, limit ${limit.requests} in ${formatDuration(parseDuration(limit.window))}: ${faults.join('; then: ')}`;
  },

  summarize(type, observed, bound) {
    if (type === 'GhostAllowing') return `${observed}/${bound}`;
    return observed > bound ? `${observed} > ${bound}` : `${observed} <= ${bound}`;
  },
};

/**
 * The member of the union that this subject reads.
 * @throws TypeError when it is missing, which the API server's validation rules out
 */
export function rateLimiterOf(spec: ChaosDemoSpec): RateLimiterSpec {
  const { rateLimiter } = spec.subject;
  if (!rateLimiter) throw new TypeError('spec.subject.rateLimiter is missing: type RateLimiter needs it');
  return rateLimiter;
}

function podsOf({ target }: Observed): string {
  const names = target?.pods.map(({ name }) => name) ?? [];
  const shown = names.slice(0, 5).join(', ');
  return `${names.length} ${names.length === 1 ? 'pod' : 'pods'} (${shown}${names.length > 5 ? ', …' : ''})`;
}
