/** A kind of subject, as the framework sees it. Pure. */
import type { SubjectApi } from '../../api/index.ts';
import type { SubjectDefinition } from '../../engine/subject.ts';
import { planOf, storyOf } from '../scenarios/scenario-type.ts';
import { type SubjectKind, scenarioTypeOf } from '../scenarios/subject-kind.ts';
import { evidenceIn } from './replay.ts';

/** Between two health checks: a few in each chapter, and no load. Milliseconds. */
const HEALTH_INTERVAL_MS = 2000;

/** All but what it says of itself. */
export function definitionOf(kind: SubjectKind, api: SubjectApi): Omit<SubjectDefinition, 'welcome'> {
  return {
    api,
    chapters: (spec) => storyOf(kind.types, spec),
    scenarios(spec) {
      const part = kind.partOf(spec);
      return spec.scenarios.map((scenario) => planOf(scenarioTypeOf(kind, scenario.type), scenario, part));
    },
    fixturePrefix: () => 'demo-chaos-key',
    // What callers leave in Redis expires, or was released.
    keepsFixtures: () => false,
    healthIntervalMs: () => HEALTH_INTERVAL_MS,
    draw: async (lines) => await evidenceIn(lines, [kind]),
  };
}
