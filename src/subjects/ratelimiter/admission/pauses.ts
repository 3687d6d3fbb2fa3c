/** The pauses of a spec, which Sentinels could notice. Pure. */
import type { AdmissionRequest } from '../../../engine/subject.ts';
import { mechanismFor, SCENARIO_TYPES, scenarioTypeOf } from '../scenarios/index.ts';
import { rateLimiterOf } from '../spec/schema.ts';

/** Types of the faults that leave a pause active unless it is ended. */
export const PAUSES = new Set(SCENARIO_TYPES.flatMap(({ api, fault }) => (fault ? [api.type] : [])));

/** The longest pause of a run, in milliseconds. */
export function longestPauseOf({ spec }: Pick<AdmissionRequest, 'spec'>): number {
  const limiter = rateLimiterOf(spec);
  const lengths = spec.scenarios
    .filter((scenario) => mechanismFor(scenario, limiter)?.holdsWrites)
    .map((scenario) => scenarioTypeOf(scenario.type).plan(scenario, limiter).faultMs);
  return Math.max(0, ...lengths);
}
