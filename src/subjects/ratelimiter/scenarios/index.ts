/** The scenario types of the rate limiter, in the order of the story. */
import type { Mechanism } from '@chaosdemo/redis-faults';
import type { ScenarioSpec } from '../../../api/index.ts';
import type { RateLimiterSpec } from '../spec/schema.ts';
import { counterDrift } from './counter-drift/index.ts';
import { ghostAllowing } from './ghost-allowing/index.ts';
import type { ScenarioType } from './scenario-type.ts';
import { storeOutage } from './store-outage/index.ts';

export const SCENARIO_TYPES: readonly ScenarioType[] = [counterDrift, ghostAllowing, storeOutage];

/** @throws RangeError for a type that this subject does not have */
export function scenarioTypeOf(type: string): ScenarioType {
  const found = SCENARIO_TYPES.find(({ api }) => api.type === type);
  if (!found) throw new RangeError(`the rate limiter has no scenario type ${type}`);
  return found;
}

/** How the fault of a scenario is injected; undefined: it has none. */
export function mechanismFor(scenario: ScenarioSpec, limiter: RateLimiterSpec): Mechanism | undefined {
  return scenarioTypeOf(scenario.type).mechanism?.(scenario, limiter);
}

/** Whether a scenario makes another server the primary of the store. */
export function failsOver(scenario: ScenarioSpec, limiter: RateLimiterSpec): boolean {
  return mechanismFor(scenario, limiter)?.lasts === 'ForGood';
}

/** Whether a scenario has a fault of the store, which then cools down. */
export function disturbsStore({ type }: ScenarioSpec): boolean {
  return scenarioTypeOf(type).fault !== undefined;
}
