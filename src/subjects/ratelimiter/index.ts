/** The rate limiter as a subject, and its parts that can be used separately: importing it opens no connection. */
import type { ScenarioSpec } from '../../api/index.ts';
import { createDiagnosisProfiles, type DiagnosisProfiles, rulesProvider } from '../../diagnosis/index.ts';
import type { Scenario, Subject } from '../../engine/subject.ts';
import type { Cluster } from '../cluster.ts';
import { RateLimiterConnector } from './admission/connector.ts';
import { rateLimiterDefinition } from './definition.ts';
import { ConnectionBudget } from './http/connection-budget.ts';
import { counterDrift } from './scenarios/counter-drift/index.ts';
import { ghostAllowing } from './scenarios/ghost-allowing/index.ts';
import { planOf } from './scenarios/scenario-type.ts';
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
export type { BurstResult } from './checkers/burst-result.ts';
export { ConnectionBudget } from './http/connection-budget.ts';
export { freeFileDescriptors } from './http/file-descriptors.ts';
export { SAMPLE_EVERY_MS } from './interfaces/counter-watch.ts';
export { HttpCallers } from './interfaces/http/http-callers.ts';
export { BUNDLED } from './spec/schema.ts';
export type { PodTarget, RateLimiterTarget } from './target/target.ts';
export { type BurstOptions, injectBurstTraffic } from './workloads/burst.ts';

/** Pauses the writes of Redis and drives steady traffic during that time. */
export function redisPauseConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(counterDrift, scenario, limiter);
}

/** Sends more requests than the limit to all pods at once. */
export function burstTrafficConfig(scenario: ScenarioSpec, limiter: RateLimiterSpec): Scenario {
  return planOf(ghostAllowing, scenario, limiter);
}

/**
 * Enough for the largest burst, and as much again as 800 connections take for the traffic of other runs and for
 * answers: 95 MiB.
 */
const MOST_OF_NAMESPACE = 10_800;

/**
 * Open requests to pods, each with its connection, and bursts, of all runs of this process: 181 MiB. Idle connections
 * of pools are not counted: see `http/pod-client.ts`.
 */
const MOST_OF_PROCESS = 20_600;

/** One for all terms of leadership: an earlier one may still be ending. */
let budget: ConnectionBudget | undefined;

/** Rate limiters that count in one Redis. @param diagnosis explains what was detected */
export function rateLimiterExplainedBy(diagnosis: DiagnosisProfiles): Subject<Cluster> {
  return {
    definition: rateLimiterDefinition,
    connect: (ports) => {
      budget ??= new ConnectionBudget(MOST_OF_PROCESS, MOST_OF_NAMESPACE, ports.shared);
      return new RateLimiterConnector(ports, budget, diagnosis);
    },
  };
}

/** The same, explained by rules only. */
export const rateLimiter = rateLimiterExplainedBy(createDiagnosisProfiles({ rules: rulesProvider }));
