/** How long the run of a spec pauses its Redis, and whether any Redis may be paused that long. Pure. */
import { formatDuration, type ScenarioSpec } from '../../../api/index.ts';
import type { AdmissionRequest } from '../../../demo/subject.ts';
import { MOST_PAUSED_MS, SHARE_OF_MS } from '../../redis/admission/redis-cooldown.ts';
import { Refusal } from '../../targets/refusal.ts';
import { coolsStoreDown, pausesStore, SCENARIO_TYPES, scenarioTypeOf } from '../scenarios/index.ts';
import { rateLimiterOf } from '../schema.ts';

/** Types of the faults that leave a pause active unless it is ended. */
export const PAUSES = new Set(SCENARIO_TYPES.flatMap(({ api, fault }) => (fault ? [api.type] : [])));

/** How long a run pauses its Redis in total, in milliseconds; a failover counts like a pause. */
export function pausedFor({ spec }: Pick<AdmissionRequest, 'spec'>): number {
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

/** @throws {Refusal} UnprovableSpec if the pauses of one run exceed the share that a Redis may be paused */
export function requireShare(request: Pick<AdmissionRequest, 'spec'>): void {
  const ms = pausedFor(request);
  if (ms <= MOST_PAUSED_MS) return;
  throw new Refusal(
    'UnprovableSpec',
    `the scenarios pause Redis for ${formatDuration(ms)} in all, and it is paused for no more than ${formatDuration(MOST_PAUSED_MS)} of any ${formatDuration(SHARE_OF_MS)}: shorten counterDrift.pause or storeOutage.fault.duration, or make two ChaosDemos of it`,
  );
}
