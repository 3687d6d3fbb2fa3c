/** The rate limiter as a subject, and its parts that can be used separately: importing it opens no connection. */
import type { ScenarioSpec } from '../../api/index.ts';
import { createDiagnosisProfiles, type DiagnosisProfiles, rulesProvider } from '../../diagnosis/index.ts';
import type { Scenario, Subject } from '../../engine/subject.ts';
import { PodsConnector } from '../admission/connector.ts';
import type { Cluster } from '../cluster.ts';
import { connectionsOf } from '../connections.ts';
import { planOf } from '../scenarios/scenario-type.ts';
import { rateLimiterDefinition } from './definition.ts';
import { rateLimiterKind } from './kind.ts';
import { counterDrift } from './scenarios/counter-drift/index.ts';
import { ghostAllowing } from './scenarios/ghost-allowing/index.ts';
import type { RateLimiterSpec } from './spec/schema.ts';

export type { RedisTarget } from '@chaosdemo/redis-faults';
export {
  injectRedisPause,
  REDIS_ACL,
  RedisConnections,
  type RedisPause,
  type RedisPauseOptions,
  StoreConnections,
} from '@chaosdemo/redis-faults';
export type { BurstResult } from '../checkers/burst-result.ts';
export { ConnectionBudget } from '../http/connection-budget.ts';
export { freeFileDescriptors } from '../http/file-descriptors.ts';
export type { PodsTarget, PodTarget } from '../targets/target.ts';
export { SAMPLE_EVERY_MS } from './interfaces/counter-watch.ts';
export { HttpCallers } from './interfaces/http/http-callers.ts';
export { BUNDLED } from './spec/schema.ts';
export { type BurstOptions, injectBurstTraffic } from './workloads/burst.ts';

/** Pauses the writes of Redis and drives steady traffic during that time. */
export function redisPauseConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(counterDrift, scenario, limiter);
}

/** Sends more requests than the limit to all pods at once. */
export function burstTrafficConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(ghostAllowing, scenario, limiter);
}

/** Rate limiters that count in one Redis. @param diagnosis explains what was detected */
export function rateLimiterExplainedBy(diagnosis: DiagnosisProfiles): Subject<Cluster> {
  return {
    definition: rateLimiterDefinition,
    connect: (ports) => new PodsConnector(rateLimiterKind, ports, connectionsOf(ports), diagnosis),
  };
}

/** The same, explained by rules only. */
export const rateLimiter = rateLimiterExplainedBy(createDiagnosisProfiles({ rules: rulesProvider }));
