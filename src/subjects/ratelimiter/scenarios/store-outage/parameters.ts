/** StoreOutage in the API: its parameters, and which specs can prove nothing. */
import { z } from 'zod';
import {
  cel,
  counted,
  durationField,
  type FaultApi,
  parseDuration,
  type ScenarioSpec,
} from '../../../../api/index.ts';
import { BEHAVIOURS, LEAST_REQUESTS } from '../../checkers/behaviour.ts';
import { admittedAtOnce, mostAdmitted } from '../../limits/rate-limit.ts';
import { returnsWithin } from '../../limits/replenish.ts';
import { fitsWindow } from '../../limits/window-turn.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { PART, type RateLimiterSpec } from '../../spec/schema.ts';
import { isOfOneCaller, tooLongForClock } from '../cooldowns.ts';
import { parametersBy, sumOf, tooLongForWindow } from '../scenario-type.ts';
import { faultSchema, mechanismIn, named, quoted, typesThatLast } from '../store-fault.ts';
import { type Draw, RESIDENTS_PER_NEWCOMER, seedOf } from './population.ts';

/** Types by which Redis may forget counts. */
const TYPES_THAT_LOSE = [...typesThatLast('Moment'), ...typesThatLast('ForGood')];

const schema = z
  .object({
    fault: faultSchema,
    callerTimeout: durationField('How long a caller waits for an answer.', '100ms', '10s').default('1s'),
    requestsPerSecond: z
      .int()
      .min(1)
      .max(50)
      .default(5)
      .describe(
        'Requests per second to each pod of new callers, which stay within their limit, and three times as many of callers that were there before. With identity SourceAddress: twice as many, of the one caller.',
      ),
    settle: durationField(
      'How long the limiter may take to recover after the fault: to admit callers within their limits, and to reject others. No recovery within it is Violated, whatever is accepted. The operator keeps sending for one more second.',
      '1s',
      '1m',
    ).default('5s'),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .optional()
      .describe(
        'From which the callers are drawn: how much of its limit each has used, when it sends, and to which pods. Default: another in each run. A result names its seed; set it to repeat that run.',
      ),
    accept: z
      .array(z.enum(BEHAVIOURS))
      .min(1)
      .max(BEHAVIOURS.length)
      .default(['Enforces', 'FailsClosed'])
      .meta({
        description:
          'Which behavior in the fault is accepted. Any other is Violated. So is over-admission, whatever the outcome for callers within their limits, unless FailsOpen is named. After a DataLoss or a Failover, Forgets accepts the limit once more. So is no recovery within settle, or a limit that is not returned after its window.',
        'x-kubernetes-list-type': 'set',
      }),
  })
  .meta({
    description:
      'Stalls Redis or breaks its connections, and reports the outcome for callers; for type StoreOutage.',
    ...cel({
      rule: `!('Forgets' in self.accept) || self.fault.type in ${quoted(TYPES_THAT_LOSE)}`,
      message: `accept may name Forgets for a fault that can lose counts: ${named(TYPES_THAT_LOSE)}`,
    }),
  });

/** A clause for each behaviour during the fault. */
const CLAUSES: Readonly<Record<(typeof BEHAVIOURS)[number], string>> = {
  Enforces: 'enforces its limit',
  FailsOpen: 'fails open',
  Forgets: 'forgets callers',
  FailsClosed: 'fails closed',
  Hangs: 'hangs',
  Mixed: 'behaves differently by pod or caller',
};

/** Of "FailsOpen, 30 > 10": "fails open during the outage; over-admission 30 > 10". */
function behaviourClause(summary: string): string {
  const [, word = '', rest = ''] = /^(?:>= )?([A-Z][A-Za-z]+)(?:[,;] (.*))?$/.exec(summary) ?? [];
  const behaviour = BEHAVIOURS.find((known) => known === word);
  if (behaviour === undefined) return `during the outage: ${summary}`;
  const what = /^\d/.test(rest) ? `over-admission ${rest}` : rest;
  return `${CLAUSES[behaviour]} during the outage${rest === '' ? '' : `; ${what}`}`;
}

export const api = {
  type: 'StoreOutage',
  member: 'storeOutage',
  schema,
  conditionMeaning:
    'In this run, during the outage of Redis, the behavior was not an accepted one, or over-admission occurred although FailsOpen is not accepted. Or, within settle after the outage, callers within their limits were not admitted again, or others not rejected again. Or a limit was not returned.',
  measures: [
    {
      name: 'notAdmitted',
      unit: 'requests',
      grows: true,
      meaning:
        'Requests within the limit of their caller that were rejected, failed or timed out during the fault.',
    },
    {
      name: 'overAdmission',
      unit: 'requests',
      grows: true,
      meaning:
        "Requests of one caller admitted beyond what the limit allows, by the sender's own count, whether or not it still waited for the answer.",
    },
    {
      name: 'underLimit',
      unit: 'requests',
      meaning:
        'Requests during the fault that the limit certainly allowed, whatever it had counted of those before.',
    },
    {
      name: 'serverErrors',
      unit: 'requests',
      meaning: 'Of notAdmitted, those with a status from 500 on, except 503. Only there if there were any.',
    },
    { name: 'latencyBefore', unit: 'ms', meaning: 'Median time to an answer before the fault.' },
    {
      name: 'latencyDuring',
      unit: 'ms',
      meaning:
        'The same during the fault, of the answers that came in time; missing if none came. Requests that the end of the fault may have answered do not count.',
    },
    { name: 'latencyAfter', unit: 'ms', meaning: 'The same after the fault.' },
    {
      name: 'timeToRecovery',
      unit: 'ms',
      meaning:
        'From the end of the fault until each pod admitted callers within their limits and rejected others again. With identity SourceAddress: until each pod answered the one caller, and rejected it. The bound is settle. A lower bound if that had not happened when the last request was sent.',
    },
    {
      name: 'lockedOut',
      unit: 'callers',
      meaning:
        'Callers that were still rejected when their limit had to be returned. Only there if some were.',
    },
    {
      name: 'overCounted',
      unit: 'requests',
      meaning:
        'Requests that were counted and not admitted, at least: those that limits lacked when callers were rejected after settle. Only there if a caller was.',
    },
  ],
  finding: (_, summary) => behaviourClause(summary),
} as const satisfies FaultApi;

export type StoreOutageSpec = z.output<typeof schema>;

export const parametersOf: (scenario: ScenarioSpec) => StoreOutageSpec = parametersBy(api);

/** Callers send for this much longer than `settle`: what is found to lack recovery has to lack it at its end. */
const SEND_ON_MS = 1000;

/** How long callers send after the fault; milliseconds. */
export function sendAfterMs({ settle }: Pick<StoreOutageSpec, 'settle'>): number {
  return parseDuration(settle) + SEND_ON_MS;
}

/** How long requests are sent and awaited after the fault; milliseconds. */
export function watchedAfterMs(scenario: ScenarioSpec): number {
  const parameters = parametersOf(scenario);
  return sendAfterMs(parameters) + parseDuration(parameters.callerTimeout);
}

/** How long the fault stays after the end from which callers have to recover; milliseconds. */
export function lingerMs(scenario: ScenarioSpec, limiter: Pick<RateLimiterSpec, 'redis'>): number {
  const { lasts } = mechanismIn(parametersOf(scenario).fault, limiter);
  return lasts === 'Lingers' ? watchedAfterMs(scenario) : 0;
}

/** How long it may take to send the requests of callers whose limits have returned; milliseconds. */
const RETURNED_MS = 10_000;

/**
 * The longest that callers are watched after the fault, in milliseconds: while they recover, and until they get their
 * limits back. The watch ends sooner if the result is known.
 */
export function mostWatchMs(scenario: ScenarioSpec, limiter: RateLimiterSpec): number {
  const parameters = parametersOf(scenario);
  const timeoutMs = parseDuration(parameters.callerTimeout);
  const withinMs = returnsWithin(limitOf(limiter));
  const returnMs = withinMs === undefined ? 0 : withinMs + RETURNED_MS + timeoutMs;
  return sendAfterMs(parameters) + timeoutMs + returnMs;
}

/** From the announcement to the end of the watch; milliseconds. */
export function faultStoryMs(scenario: ScenarioSpec, { health }: Pick<RateLimiterSpec, 'health'>): number {
  const parameters = parametersOf(scenario);
  const { callerTimeout, fault } = parameters;
  return sendAfterMs(parameters) + sumOf(scenario.countdown, fault.duration, callerTimeout, health.timeout);
}

/** From the first request to the end of the traffic, with what the controls take; milliseconds. */
export function storyMs(scenario: ScenarioSpec, limiter: RateLimiterSpec): number {
  const { callerTimeout, settle } = parametersOf(scenario);
  return faultStoryMs(scenario, limiter) + sumOf(settle, callerTimeout);
}

/** Whether windows end during the scenario: then a caller is over its limit only if it sends more than is replenished. */
export function windowsEnd(scenario: ScenarioSpec, limiter: RateLimiterSpec): boolean {
  if (isOfOneCaller(limiter)) return false;
  return !fitsWindow(limitOf(limiter), storyMs(scenario, limiter));
}

/** From which the callers of an attempt on this many pods are drawn. */
export function drawOf(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
  fixture: string,
): Draw {
  const parameters = parametersOf(scenario);
  const limit = limitOf(limiter);
  const most = windowsEnd(scenario, limiter)
    ? mostAdmitted(limit, { from: 0, to: leastMs(parameters, limiter), fresh: true })
    : admittedAtOnce(limit);
  return {
    fixture,
    seed: parameters.seed ?? seedOf(fixture),
    limit,
    pods,
    inFault: RESIDENTS_PER_NEWCOMER * pods * requestsInFault(scenario, limiter),
    busyNeeds: most + LEAST_REQUESTS * pods,
  };
}

/** Requests a second over all pods, and requests in flight: one run must not take up the process. */
const MOST_AT_ONCE = 1000;

/** Sentinel lets a former primary take writes for this long before it becomes a replica; milliseconds. */
const FAILOVER_MS = 8000;

/** How long a fault lasts at least; milliseconds. */
function leastMs({ fault }: Pick<StoreOutageSpec, 'fault'>, limiter: Pick<RateLimiterSpec, 'redis'>): number {
  const ms = parseDuration(fault.duration);
  return mechanismIn(fault, limiter).lasts === 'ForGood' ? Math.min(ms, FAILOVER_MS) : ms;
}

/** How much of the pause its proof may take, before the one caller begins to send; milliseconds. */
const PROOF_MS = 500;

/** Requests of each kind to one pod that count: one that may be answered due to the end of the fault does not. */
export function requestsInFault(scenario: ScenarioSpec, limiter: Pick<RateLimiterSpec, 'redis'>): number {
  const parameters = parametersOf(scenario);
  const { callerTimeout, requestsPerSecond } = parameters;
  const countedMs = leastMs(parameters, limiter) - parseDuration(callerTimeout);
  return Math.max(0, Math.floor((countedMs / 1000) * requestsPerSecond));
}

/** Requests to each pod in a turn: of newcomers and residents, or of the one caller. */
function perTurn(limiter: RateLimiterSpec): number {
  return isOfOneCaller(limiter) ? 2 : 1 + RESIDENTS_PER_NEWCOMER;
}

/** Requests per second of all callers to this many pods. */
export function trafficTo(scenario: ScenarioSpec, limiter: RateLimiterSpec, pods: number): number {
  return perTurn(limiter) * parametersOf(scenario).requestsPerSecond * pods;
}

/** Why no run on this many pods can show the outcome of callers, with what to change. */
export function unprovable(
  scenario: ScenarioSpec,
  limiter: RateLimiterSpec,
  pods: number,
): string | undefined {
  const { callerTimeout, fault, requestsPerSecond } = parametersOf(scenario);
  const timeoutMs = parseDuration(callerTimeout);
  if (isOfOneCaller(limiter)) {
    const fields =
      'countdown, storeOutage.fault.duration, storeOutage.settle, storeOutage.callerTimeout and health.timeout';
    const late = tooLongForWindow(scenario, limiter, faultStoryMs(scenario, limiter), fields);
    if (late !== undefined) return late;
  }
  const sent = requestsInFault(scenario, limiter);
  if (sent < LEAST_REQUESTS) {
    return `scenario ${scenario.name}: each pod needs ${LEAST_REQUESTS} requests that can time out within the fault, and storeOutage.requestsPerSecond ${requestsPerSecond} x (fault.duration ${fault.duration} - callerTimeout ${callerTimeout}) = ${sent}: lengthen storeOutage.fault.duration or raise requestsPerSecond`;
  }
  const kinds = perTurn(limiter);
  const rate = trafficTo(scenario, limiter, pods);
  const open = Math.ceil(rate * Math.max(1, timeoutMs / 1000));
  if (open <= MOST_AT_ONCE) {
    return (
      (isOfOneCaller(limiter) ? unprovableByOne(scenario, limiter, pods) : undefined) ??
      (windowsEnd(scenario, limiter)
        ? (notOverLimit(scenario, limiter, pods) ?? fewInWindow(scenario, limiter, pods))
        : undefined)
    );
  }
  return `scenario ${scenario.name}: ${kinds} x storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods x callerTimeout ${callerTimeout} = ${open} requests that may wait at once, at most ${MOST_AT_ONCE} are possible: lower storeOutage.requestsPerSecond or callerTimeout, or select fewer pods`;
}

/**
 * Why no run can show what a single caller gets that makes all requests: it has to exceed its limit during the pause,
 * but not too soon.
 */
function unprovableByOne(scenario: ScenarioSpec, limiter: RateLimiterSpec, pods: number): string | undefined {
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  const name = `scenario ${scenario.name} with one caller for all requests`;
  const within = (LEAST_REQUESTS + 1) * pods;
  if (full < within) {
    return `${name}: each of ${counted(pods, 'pod')} needs one request before the pause and ${LEAST_REQUESTS} during it under the limit, ${within} in all, and ${PART}.limit admits ${full} at once: select fewer pods, or give the rate limiter a higher limit for the test`;
  }
  const few = notOverLimit(scenario, limiter, pods);
  if (few !== undefined) return few;
  return tooLongForClock(limit, faultStoryMs(scenario, limiter), name);
}

/** Why not every pod rejects a caller in each window that ends in the pause. */
function fewInWindow(scenario: ScenarioSpec, { limit }: RateLimiterSpec, pods: number): string | undefined {
  const { requestsPerSecond } = parametersOf(scenario);
  const seconds = parseDuration(limit.window) / 1000;
  const sent = Math.floor(requestsPerSecond * pods * seconds);
  const needed = limit.requests + pods;
  if (sent >= needed) return undefined;
  const rate = Math.ceil(needed / (pods * seconds));
  return `scenario ${scenario.name}: a caller sends storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods = ${sent} requests in a window of ${PART}.limit.window ${limit.window}, and needs ${needed} so that each pod rejects one beyond limit.requests ${limit.requests}: set storeOutage.requestsPerSecond to ${rate}, or give the rate limiter a lower limit for the test`;
}

/** Why a caller does not get over its limit in the pause, with what is replenished in that time. */
function notOverLimit(scenario: ScenarioSpec, limiter: RateLimiterSpec, pods: number): string | undefined {
  const byOne = isOfOneCaller(limiter);
  const parameters = parametersOf(scenario);
  const { callerTimeout, fault, requestsPerSecond } = parameters;
  const pauseMs = leastMs(parameters, limiter);
  const span = { from: 0, to: pauseMs, fresh: true };
  const most = mostAdmitted(limitOf(limiter), byOne ? { ...span, clockWithinMs: 0 } : span);
  const sendingMs = pauseMs - Math.max(0, Math.min(PROOF_MS, pauseMs / 2)) - parseDuration(callerTimeout);
  const times = byOne ? 2 : 1;
  const sent = Math.max(0, Math.floor((sendingMs / 1000) * times * requestsPerSecond) * pods);
  const needed = most + LEAST_REQUESTS * pods;
  if (sent >= needed) return undefined;
  const name = `scenario ${scenario.name}${byOne ? ' with one caller for all requests' : ''}`;
  return `${name}: the limit admits ${most} in the pause, and ${needed} have to be sent in it to judge those over the limit; ${byOne ? '2 x ' : ''}storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods send ${sent} in what the proof and the last callerTimeout leave of ${fault.duration}: raise storeOutage.requestsPerSecond or fault.duration, or give the rate limiter a lower limit for the test`;
}
