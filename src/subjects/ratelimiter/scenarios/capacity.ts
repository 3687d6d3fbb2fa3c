/**
 * What has to fit together so that a run can end as expected: the spec, and the pods and primaries that were found. The
 * API server has rejected by then what a spec contradicts in itself. Pure.
 */
import {
  type ChaosDemoSpec,
  counted,
  DWELLS_PER_RUN,
  DWELLS_PER_SCENARIO,
  formatDuration,
  parseDuration,
} from '../../../api/index.ts';
import { Refusal } from '../../targets/refusal.ts';
import { sumOf } from '../history/counts.ts';
import type { Baseline } from '../interfaces/http/control-callers.ts';
import { PART, type RateLimiterSpec, rateLimiterOf } from '../spec/schema.ts';
import { plansOf } from './index.ts';
import type { ScenarioPlan } from './scenario-type.ts';

export interface Found {
  readonly pods: number;
  /** Primaries of Redis; default: one, as long as it is not known to be a Cluster. */
  readonly masters?: number;
  /** Accounts for callers; left out: the operator makes keys up. */
  readonly accounts?: number | undefined;
  /** What was measured without a fault; left out: nothing yet. */
  readonly baseline?: Pick<Baseline, 'lags' | 'writeMaxMs'>;
}

/** Why no run of this spec can end as expected, with what to change, the first reason first; empty: one can. */
export function capacity(spec: ChaosDemoSpec, { accounts, baseline, masters = 1, pods }: Found): string[] {
  const limiter = rateLimiterOf(spec);
  const plans = plansOf(spec);
  const problems = [
    unsuitedFields(limiter),
    failoverNotLast(plans),
    tooLong(spec, plans),
    ...plans.map((plan) => plan.unprovable(pods, baseline)),
    masters > 1 ? noCluster(limiter, masters) : undefined,
    accounts === undefined ? undefined : tooFewAccounts(accounts, accountsFor(spec, pods)),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** Accounts that a run takes for its controls. */
const ACCOUNTS_OF_CONTROLS = 6;

/** Accounts that one run on this many pods takes, about; a fault that has to be planned again takes more. */
export function accountsFor(spec: ChaosDemoSpec, pods: number): number {
  return sumOf([ACCOUNTS_OF_CONTROLS, ...plansOf(spec).map((plan) => plan.callersOn(pods))]);
}

function tooFewAccounts(have: number, need: number): string | undefined {
  if (have >= need) return undefined;
  return `a run needs about ${need} accounts, each for one caller, and ${PART}.http.callers has ${have}: add ${need - have}, send fewer requestsPerSecond, or shorten the fault`;
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
  if (redis.count && http.callers) {
    return `${PART}.redis.count is read for keys that the demo makes up only, and with http.callers it makes up none: leave one of them out`;
  }
  if (redis.count && http.identity === 'SourceAddress') {
    return `${PART}.redis.count names the key of a caller, and with http.identity SourceAddress the caller has none: leave redis.count out`;
  }
  return undefined;
}

/** Later scenarios would have admitted another server than the one that is the primary by then. */
function failoverNotLast(plans: readonly ScenarioPlan[]): string | undefined {
  const early = plans.slice(0, -1).find(({ failsOver }) => failsOver);
  return early
    ? `scenario ${early.scenario.name} makes another server the primary of Redis, and later scenarios would need a new check of it: make it the last scenario, or move it to another ChaosDemo`
    : undefined;
}

/** Why a run cannot end before its deadline, with what to change; undefined: it can. */
function tooLong(spec: ChaosDemoSpec, plans: readonly ScenarioPlan[]): string | undefined {
  const { activeDeadline, pace } = spec;
  const { cooldownMs = 0, isOneCaller = false } = plans[0] ?? {};
  const cooldowns = isOneCaller ? sumOf([1, ...plans.map((plan) => plan.cooldownsToPrepare)]) : 0;
  const dwells = DWELLS_PER_RUN + DWELLS_PER_SCENARIO * plans.length;
  const dwellMs = pace.mode === 'Auto' ? dwells * parseDuration(pace.dwell) : 0;
  const faultsMs = sumOf(plans.map((plan) => plan.countdownMs + plan.faultMs + plan.settleMs));
  const ms = faultsMs + cooldowns * cooldownMs + dwellMs;
  if (ms < parseDuration(activeDeadline)) return undefined;
  const waits =
    cooldowns === 0
      ? ''
      : `, since with ${PART}.http.identity SourceAddress it waits ${counted(cooldowns, 'time')} up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  const shorter =
    cooldowns === 0 ? 'shorten pace.dwell' : 'give the rate limiter a shorter window for the test';
  return `a run takes up to ${formatDuration(ms)} with its faults and chapters${waits}, which is not less than activeDeadline ${activeDeadline}: raise activeDeadline, or ${shorter}`;
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
