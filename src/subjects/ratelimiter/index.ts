/** The rate limiter as a subject, and its parts that can be used separately: importing it opens no connection. */
import type { ScenarioSpec } from '../../api/index.ts';
import type { Scenario } from '../../engine/subject.ts';
import { scenarioOf } from '../scenarios/scenario-type.ts';
import { subjectOf } from '../subject.ts';
import { rateLimiterKind } from './kind.ts';
import { counterDrift } from './scenarios/counter-drift/index.ts';
import { ghostAllowing } from './scenarios/ghost-allowing/index.ts';
import type { RateLimiterSpec } from './spec/schema.ts';

export { injectBurstTraffic } from './workloads/burst.ts';

/** Pauses the writes of Redis and drives steady traffic during that time. */
export function redisPauseConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return scenarioOf(counterDrift.plan(scenario, limiter));
}

/** Sends more requests than the limit to all pods at once. */
export function burstTrafficConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return scenarioOf(ghostAllowing.plan(scenario, limiter));
}

/** Rate limiters that count in one Redis, explained by rules only. */
export const rateLimiter = subjectOf(rateLimiterKind);
