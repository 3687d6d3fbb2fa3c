/** The story of a key-value service and of its fault. Pure. */
import type { ScenarioSpec } from '../../../../src/api/index.ts';
import { parseDuration } from '../../../../src/api/index.ts';
import { type ChapterPlan, chaptersOf } from '../../../../src/engine/chapter.ts';
import type { Scenario, SubjectDefinition } from '../../../../src/engine/subject.ts';
import { keyValueApi, keyValueOf, staleReplicaOf } from './api.ts';

/** No profile explains this anomaly, so no chapter has a diagnosis. */
const STORY: readonly ChapterPlan[] = [
  { title: 'Welcome', stage: 'welcome' },
  { title: 'Health', stage: 'health' },
  { title: 'Setup', stage: 'setup', auto: true },
  { title: 'Stale Replica', stage: 'chaos', of: 'StaleReplica' },
  { title: 'Stale Replica Detection', stage: 'detection', of: 'StaleReplica' },
  { title: 'Recovery', stage: 'recovery', of: 'StaleReplica', auto: true },
  { title: 'Done', stage: 'complete', auto: true },
];

export const keyValueDefinition: SubjectDefinition = {
  api: keyValueApi,
  chapters: (spec) => chaptersOf(STORY, spec.scenarios),
  scenarios: ({ scenarios }) => scenarios.map(planOf),
  fixturePrefix: () => 'chaosdemo',
  keepsFixtures: () => true,
  healthIntervalMs: () => 500,
  welcome: (spec, target) =>
    `${target?.pods.length ?? 0} replicas, requests within ${keyValueOf(spec).timeout}`,
};

function planOf(scenario: ScenarioSpec): Scenario {
  const { behind, lasts, settle } = staleReplicaOf(scenario);
  const countdownMs = parseDuration(scenario.countdown);
  const faultMs = parseDuration(lasts);
  const settleMs = parseDuration(settle);
  return {
    name: scenario.name,
    type: scenario.type,
    expect: scenario.expect,
    countdownMs,
    faultMs,
    settleMs,
    storyMs: countdownMs + faultMs + settleMs,
    load: true,
    releasable: true,
    onOrphan: 'Inquire',
    faultTitle: `A replica takes no writes for ${lasts}`,
    invariant: `no replica is more than ${behind} writes behind`,
  };
}
