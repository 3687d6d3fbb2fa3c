/** Whether a run of a spec can end as expected, by the spec and the number of pods. Pure. */
import type { ChaosDemoSpec } from '../../../api/index.ts';
import type { AdmissionRequest } from '../../../engine/subject.ts';
import { Refusal } from '../../targets/refusal.ts';
import { tooLong } from '../scenarios/cooldowns.ts';
import { failsOver, scenarioTypeOf } from '../scenarios/index.ts';
import { planOf } from '../scenarios/scenario-type.ts';
import { PART, type RateLimiterSpec, rateLimiterOf } from '../spec/schema.ts';

/** Fields that do not fit this limiter, with what to change. */
function unsuitedFields({ http, isBundled, limit, redis }: RateLimiterSpec): string | undefined {
  if (isBundled && (limit.algorithm !== 'FixedWindow' || limit.windowStart !== 'FirstRequest')) {
    return `${PART}.limit.algorithm and windowStart do not describe the bundled limiter, which counts in fixed windows from the first request: leave them out, or describe your own limiter in ${PART}.http`;
  }
  if (redis.count && http.identity === 'SourceAddress') {
    return `${PART}.redis.count names the key of a caller, and with http.identity SourceAddress the caller has none: leave redis.count out`;
  }
  return undefined;
}

/** Later scenarios would have admitted another server than the one that is the primary by then. */
function failoverNotLast({ scenarios }: ChaosDemoSpec, limiter: RateLimiterSpec): string | undefined {
  const early = scenarios.slice(0, -1).find((scenario) => failsOver(scenario, limiter));
  return early
    ? `scenario ${early.name} makes another server the primary of Redis, and later scenarios would need a new check of it: make it the last scenario, or move it to another ChaosDemo`
    : undefined;
}

/** @throws {Refusal} UnprovableSpec if no run on this many pods can end as expected */
export function requireProvable({ spec }: Pick<AdmissionRequest, 'spec'>, pods: number): void {
  const limiter = rateLimiterOf(spec);
  const parts = spec.scenarios.map((scenario) => {
    const fault = scenarioTypeOf(scenario.type);
    const { countdownMs, faultMs, settleMs } = planOf(fault, scenario, limiter);
    return { cooldowns: fault.cooldownsToPrepare ?? 1, ms: countdownMs + faultMs + settleMs };
  });
  const unsuited = unsuitedFields(limiter) ?? failoverNotLast(spec, limiter) ?? tooLong(spec, limiter, parts);
  if (unsuited !== undefined) throw new Refusal('UnprovableSpec', unsuited);
  for (const scenario of spec.scenarios) {
    const reason = scenarioTypeOf(scenario.type).unprovable(scenario, limiter, pods);
    if (reason !== undefined) throw new Refusal('UnprovableSpec', reason);
  }
}
