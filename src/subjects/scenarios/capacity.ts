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
} from '../../api/index.ts';
import { sumOf } from '../history/counts.ts';
import { MOST_REQUESTS_KEPT } from '../history/history.ts';
import type { PodsSpec } from '../spec/pods-schema.ts';
import { Refusal } from '../targets/refusal.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import { plansOf, type SubjectKind } from './scenario-type.ts';
import type { Controls } from './tools.ts';

export interface Found {
  readonly pods: number;
  /** Primaries of Redis; default: one, as long as it is not known to be a Cluster. */
  readonly masters?: number;
  /** Accounts for callers; left out: the operator makes keys up. */
  readonly accounts?: number | undefined;
  /** What was measured without a fault; left out: nothing yet. */
  readonly baseline?: Controls['baseline'];
}

/** Why no run of this spec can end as expected, with what to change, the first reason first; empty: one can. */
export function capacity(
  kind: SubjectKind,
  spec: ChaosDemoSpec,
  { accounts, baseline, masters = 1, pods }: Found,
): string[] {
  const { member } = kind.api;
  const part = kind.partOf(spec);
  const plans = plansOf(kind, spec);
  const isOpen = kind.isOpen?.(part) === true;
  const problems = [
    kind.unsuited?.(part),
    failoverNotLast(plans),
    tooLong(member, spec, plans),
    ...plans.map(
      (plan) => (isOpen ? undefined : plan.unprovable(pods, baseline)) ?? tooManyRequests(plan, pods),
    ),
    masters > 1 ? noCluster(kind, part, masters) : undefined,
    accounts === undefined ? undefined : tooFewAccounts(member, accounts, accountsFor(kind, spec, pods)),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** Accounts that a run takes for its controls. */
const ACCOUNTS_OF_CONTROLS = 8;

/** Accounts that one run on this many pods takes, about; a fault that has to be planned again takes more. */
export function accountsFor(kind: SubjectKind, spec: ChaosDemoSpec, pods: number): number {
  return sumOf([ACCOUNTS_OF_CONTROLS, ...plansOf(kind, spec).map((plan) => plan.callersOn(pods))]);
}

function tooFewAccounts(part: string, have: number, need: number): string | undefined {
  if (have >= need) return undefined;
  return `a run needs about ${need} accounts, each for one caller, and ${part}.http.callers has ${have}: add ${need - have}, send fewer requestsPerSecond, or shorten the fault`;
}

/** Why no history keeps all requests until the end of the fault; undefined: one does. */
function tooManyRequests(plan: ScenarioPlan, pods: number): string | undefined {
  const ms = plan.countdownMs + plan.faultMs;
  const requests = Math.ceil((plan.trafficTo(pods) * ms) / 1000);
  if (requests <= MOST_REQUESTS_KEPT) return undefined;
  return `${plan.called}: its fault would end after ${requests} requests in ${formatDuration(ms)}, and a history keeps ${MOST_REQUESTS_KEPT}. Shorten the fault, send fewer a second, or select fewer pods`;
}

/** @throws {Refusal} UnprovableSpec with the first reason of {@link capacity} */
export function requireCapacity(kind: SubjectKind, spec: ChaosDemoSpec, found: Found): void {
  const [reason] = capacity(kind, spec, found);
  if (reason !== undefined) throw new Refusal('UnprovableSpec', reason);
}

/** Later scenarios would have admitted another server than the one that is the primary by then. */
function failoverNotLast(plans: readonly ScenarioPlan[]): string | undefined {
  const early = plans.slice(0, -1).find(({ failsOver }) => failsOver);
  return early
    ? `${early.called} makes another server the primary of Redis. Later scenarios would need a new check of it: make it the last scenario, or move it to another ChaosDemo`
    : undefined;
}

/** How often a run waits until the limit of its one caller is replenished, and how long all of it takes at most. */
export function lengthOfRun(plans: readonly ScenarioPlan[]) {
  const { cooldownMs = 0, isOneCaller = false } = plans[0] ?? {};
  const cooldowns = isOneCaller ? sumOf([1, ...plans.map((plan) => plan.cooldownsToPrepare)]) : 0;
  const faultsMs = sumOf(plans.map((plan) => plan.countdownMs + plan.faultMs + plan.settleMs));
  return { cooldownMs, cooldowns, ms: faultsMs + cooldowns * cooldownMs };
}

/** Why a run cannot end before its deadline, with what to change; undefined: it can. */
function tooLong(part: string, spec: ChaosDemoSpec, plans: readonly ScenarioPlan[]): string | undefined {
  const { activeDeadline, pace } = spec;
  const { cooldownMs, cooldowns, ms: withoutPace } = lengthOfRun(plans);
  const dwells = DWELLS_PER_RUN + DWELLS_PER_SCENARIO * plans.length;
  const ms = withoutPace + (pace.mode === 'Auto' ? dwells * parseDuration(pace.dwell) : 0);
  if (ms < parseDuration(activeDeadline)) return undefined;
  const waits =
    cooldowns === 0
      ? ''
      : `. With ${part}.http.identity SourceAddress it waits ${counted(cooldowns, 'time')} up to ${formatDuration(cooldownMs)} until the limit of the operator's address is replenished`;
  const shorter =
    cooldowns === 0 ? 'shorten pace.dwell' : 'give the rate limiter a shorter window for the test';
  return `a run takes up to ${formatDuration(ms)} with its faults and chapters${waits}. It has to take less than activeDeadline ${activeDeadline}: raise activeDeadline, or ${shorter}`;
}

/** The part of a spec that needs a single Redis. */
function noCluster(kind: SubjectKind, spec: PodsSpec, masters: number): string | undefined {
  const part = kind.api.member;
  const why =
    kind.noCluster?.(spec) ??
    (spec.redis.sentinel
      ? `no Sentinel watches a Cluster: leave ${part}.redis.sentinel out`
      : spec.redis.faultProxy
        ? `its clients use no fault proxy: leave ${part}.redis.faultProxy out, with the fault types that need it`
        : undefined);
  return why && `Redis is a Cluster of ${masters} primaries, and ${why}`;
}
