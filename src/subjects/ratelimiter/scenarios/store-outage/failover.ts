/** A fault of type Failover: which specs can show nothing. Pure. */
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { mechanismIn } from '../store-fault.ts';
import { parametersOf } from './parameters.ts';

/**
 * The shortest time that it may take by Sentinel; milliseconds. A Sentinel makes a replica of the former primary 8 s after the
 * switch at the earliest, and checks that every 10 s: 11 s to 12 s were measured.
 */
const LEAST_MS = 15_000;

/** Why no run can inject a failover and show its outcome, with what to change. */
export function failoverUnprovable(scenario: ScenarioSpec, limiter: RateLimiterSpec): string | undefined {
  const { fault } = parametersOf(scenario);
  const { redis } = limiter;
  if (mechanismIn(fault, limiter).lasts !== 'ForGood') return undefined;
  const name = `scenario ${scenario.name}: storeOutage.fault.type ${fault.type}`;
  if (!redis.sentinel || parseDuration(fault.duration) >= LEAST_MS) return undefined;
  return `${name} takes some 12 s until the former primary takes no more writes, and fault.duration ${fault.duration} is how long it may take: set storeOutage.fault.duration to at least ${formatDuration(LEAST_MS)}, or better 20s`;
}
