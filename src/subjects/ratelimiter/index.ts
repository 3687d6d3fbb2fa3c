/** The rate limiter as a subject, and what can be used of it by itself: importing it opens no connection. */
import type { ScenarioSpec } from '../../api/index.ts';
import type { Scenario, Subject } from '../../demo/subject.ts';
import type { Cluster } from '../cluster.ts';
import { RateLimiterConnector } from './admission/connector.ts';
import { rateLimiterDefinition } from './definition.ts';
import { counterDrift } from './faults/counter-drift/index.ts';
import { planOf } from './faults/fault.ts';
import { ghostAllowing } from './faults/ghost-allowing/index.ts';
import type { RateLimiterSpec } from './schema.ts';

export { injectRedisPause, type RedisPause, type RedisPauseOptions } from './faults/counter-drift/pause.ts';
export { type BurstOptions, type BurstResult, injectBurstTraffic } from './faults/ghost-allowing/burst.ts';
export { SAMPLE_EVERY_MS } from './interfaces/reference/counter-watch.ts';
export { LimiterClient } from './interfaces/reference/limiter-client.ts';
export { type LimitWindow, setupRateLimit } from './interfaces/reference/setup-limit.ts';
export { REDIS_ACL } from './store/advice.ts';
export { RedisConnections } from './store/redis-client.ts';
export type { RedisTarget } from './store/redis-target.ts';
export type { NodeTarget, RateLimiterTarget } from './target.ts';

/** Pauses the writes of Redis and drives steady traffic meanwhile. */
export function redisPauseConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(counterDrift, scenario, limiter);
}

/** Sends more requests than the limit to all nodes at once. */
export function burstTrafficConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(ghostAllowing, scenario, limiter);
}

/** Rate limiters that count in one Redis. */
export const rateLimiter: Subject<Cluster> = {
  definition: rateLimiterDefinition,
  connect: (ports) => new RateLimiterConnector(ports),
};
