/**
 * What has to fit together so that a run can end as expected: the spec, and the pods and primaries that were found. The
 * API server has rejected by then what a spec contradicts in itself. Pure.
 */
import type { ChaosDemoSpec } from '../../../api/index.ts';
import { Refusal } from '../../targets/refusal.ts';
import type { Baseline } from '../interfaces/baseline.ts';
import { PART, type RateLimiterSpec, rateLimiterOf } from '../spec/schema.ts';
import { tooLong } from './cooldowns.ts';
import { failsOver, scenarioTypeOf } from './index.ts';
import { planOf } from './scenario-type.ts';

export interface Found {
  readonly pods: number;
  /** Primaries of Redis; default: one, as long as it is not known to be a Cluster. */
  readonly masters?: number;
  /** What was measured without a fault; left out: nothing yet. */
  readonly baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>;
}

/** Why no run of this spec can end as expected, with what to change, the first reason first; empty: one can. */
export function capacity(spec: ChaosDemoSpec, { baseline, masters = 1, pods }: Found): string[] {
  const limiter = rateLimiterOf(spec);
  const parts = spec.scenarios.map((scenario) => {
    const fault = scenarioTypeOf(scenario.type);
    const { countdownMs, faultMs, settleMs } = planOf(fault, scenario, limiter);
    return { cooldowns: fault.cooldownsToPrepare ?? 1, ms: countdownMs + faultMs + settleMs };
  });
  const problems = [
    unsuitedFields(limiter),
    failoverNotLast(spec, limiter),
    tooLong(spec, limiter, parts),
    ...spec.scenarios.map((scenario) =>
      scenarioTypeOf(scenario.type).unprovable(scenario, limiter, pods, baseline),
    ),
    masters > 1 ? noCluster(limiter, masters) : undefined,
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** @throws {Refusal} UnprovableSpec with the first reason of {@link capacity} */
export function requireCapacity(spec: ChaosDemoSpec, found: Found): void {
  const [reason] = capacity(spec, found);
  if (reason !== undefined) throw new Refusal('UnprovableSpec', reason);
}

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

/** The part of a spec that needs a single Redis. */
function noCluster({ isBundled, redis }: RateLimiterSpec, masters: number): string | undefined {
  const why = isBundled
    ? `the bundled limiter is not a client of a Cluster: describe your own in ${PART}.http`
    : redis.sentinel
      ? `no Sentinel watches a Cluster: leave ${PART}.redis.sentinel out`
      : redis.faultProxy
        ? `its clients do not use a fault proxy: leave ${PART}.redis.faultProxy out, with the fault types that need it`
        : undefined;
  return why && `Redis is a Cluster of ${masters} primaries, and ${why}`;
}
