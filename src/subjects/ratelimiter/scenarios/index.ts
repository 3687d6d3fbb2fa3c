/** The scenario types of the rate limiter, in the order of the story. */
import type { ChaosDemoSpec } from '../../../api/index.ts';
import { rateLimiterOf } from '../spec/schema.ts';
import { counterDrift } from './counter-drift/index.ts';
import { ghostAllowing } from './ghost-allowing/index.ts';
import type { ScenarioPlan, ScenarioType } from './scenario-type.ts';
import { storeOutage } from './store-outage/index.ts';

export const SCENARIO_TYPES: readonly ScenarioType[] = [counterDrift, ghostAllowing, storeOutage];

/** @throws RangeError for a type that this subject does not have */
export function scenarioTypeOf(type: string): ScenarioType {
  const found = SCENARIO_TYPES.find(({ api }) => api.type === type);
  if (!found) throw new RangeError(`the rate limiter has no scenario type ${type}`);
  return found;
}

/** The scenarios of a spec on its rate limiter, in their order. */
export function plansOf(spec: ChaosDemoSpec): ScenarioPlan[] {
  const limiter = rateLimiterOf(spec);
  return spec.scenarios.map((scenario) => scenarioTypeOf(scenario.type).plan(scenario, limiter));
}
