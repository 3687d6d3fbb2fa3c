/** How long the faults of a spec last, and whether any Redis may be disturbed that long. Pure. */
import { formatDuration, type ScenarioSpec } from '../../../api/index.ts';
import type { AdmissionRequest } from '../../../demo/subject.ts';
import { MOST_FAULT_MS, SHARE_OF_MS } from '../../redis/admission/redis-cooldown.ts';
import { Refusal } from '../../targets/refusal.ts';
import { coolsStoreDown, pausesStore, SCENARIO_TYPES, scenarioTypeOf } from '../scenarios/index.ts';
import { rateLimiterOf } from '../schema.ts';

/** Types of the faults that leave a pause active unless it is ended. */
export const PAUSES = new Set(SCENARIO_TYPES.flatMap(({ api, fault }) => (fault ? [api.type] : [])));

/** How long the faults of a run last in total, in milliseconds. */
export function disturbedFor({ spec }: Pick<AdmissionRequest, 'spec'>): number {
  if (spec.dryRun) return 0;
  return lengthsOf(spec, coolsStoreDown).reduce((sum, ms) => sum + ms, 0);
}

/** The longest pause of a run, in milliseconds; that of a dry run is planned as well. */
export function longestPauseOf({ spec }: Pick<AdmissionRequest, 'spec'>): number {
  return Math.max(0, ...lengthsOf(spec, pausesStore));
}

function lengthsOf(spec: AdmissionRequest['spec'], which: (scenario: ScenarioSpec) => boolean): number[] {
  const limiter = rateLimiterOf(spec);
  return spec.scenarios
    .filter(which)
    .map((scenario) => scenarioTypeOf(scenario.type).plan(scenario, limiter).faultMs);
}

/** @throws {Refusal} UnprovableSpec if the faults of one run exceed the share of time that a Redis may be disturbed */
export function requireShare(request: Pick<AdmissionRequest, 'spec'>): void {
  const ms = disturbedFor(request);
  if (ms <= MOST_FAULT_MS) return;
  throw new Refusal(
    'UnprovableSpec',
    `the faults of Redis last ${formatDuration(ms)} in all, and it has faults for no more than ${formatDuration(MOST_FAULT_MS)} of any ${formatDuration(SHARE_OF_MS)}: shorten counterDrift.pause or storeOutage.fault.duration, or make two ChaosDemos of it`,
  );
}
