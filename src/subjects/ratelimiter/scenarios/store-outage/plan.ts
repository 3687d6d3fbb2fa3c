/** The parameters of a scenario of a store outage on its rate limiter, and which specs can show nothing. Pure. */

import { mechanismOf } from '@chaosdemo/redis-faults';
import { z } from 'zod';
import { cel, counted, durationField, type FaultApi, parseDuration } from '../../../../api/index.ts';
import { LEAST_REQUESTS } from '../../../checkers/share-interval.ts';
import { growing, measures } from '../../../scenarios/measures.ts';
import { seedOf } from '../../../scenarios/seed.ts';
import {
  faultProblem,
  faultSchema,
  named,
  quoted,
  titleOf,
  typesThatLast,
} from '../../../scenarios/store-fault.ts';
import { wholeField } from '../../../spec/pods-schema.ts';
import { PRICES, priceSchema } from '../../../spec/price-schema.ts';
import { BEHAVIOURS } from '../../checkers/behaviour.ts';
import { followsClock, leastOf } from '../../limits/rate-limit.ts';
import { fitsWindow, returnsWithin } from '../../limits/window-turn.ts';
import { PART } from '../../spec/schema.ts';
import { ASKING_CALLERS, longestAskMs } from '../../workloads/asking.ts';
import { LimiterPlan } from '../limiter-plan.ts';
import {
  ASKING_PER_SECOND,
  callersDrawn,
  type Draw,
  RESIDENTS_PER_NEWCOMER,
  residentsOf,
} from './population.ts';

/** Types by which Redis may forget counts. */
const TYPES_THAT_LOSE = [...typesThatLast('Moment'), ...typesThatLast('ForGood')];

const schema = z
  .object({
    fault: faultSchema,
    callerTimeout: durationField('How long a caller waits for a response.', '100ms', '10s').default('1s'),
    requestsPerSecond: wholeField(
      1,
      50,
      'Requests per second to each pod of new callers, which stay within their limit, and three times as many of callers that were there before. With identity SourceAddress: twice as many, of the one caller.',
    ).default(5),
    settle: durationField(
      'How long the limiter may take after the fault to admit callers within their limits, and to reject others. The operator keeps sending for one more second.',
      '1s',
      '1m',
    ).default('5s'),
    limitReturn: z
      .enum(['Check', 'Skip'])
      .optional()
      .describe(
        'Check: after the fault, the run waits until limits must have returned, up to 75 s, and sends requests again. Skip: it does not wait, and its evidence states that this was not checked. Default: Check.',
      ),
    seed: z.uint32().optional().describe('Draws the callers. Default: new in each run; results name it.'),
    accept: z
      .array(z.enum(BEHAVIOURS))
      .min(1)
      .max(BEHAVIOURS.length)
      .default(['Enforces', 'FailsClosed'])
      .meta({
        description:
          'Behaviors in the fault that are accepted; any other is Violated. So is over-admission unless FailsOpen is named; after a DataLoss or a Failover, Forgets accepts the limit once more. No recovery within settle, or a limit that is not returned, is always Violated. Leave it out with expect Violated.',
        'x-kubernetes-list-type': 'set',
      }),
    price: priceSchema,
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

/** Of "FailsOpen, 25 of 10 in 1.2 s": "fails open during the outage; admitted 25 of 10 in 1.2 s". */
function behaviourClause(summary: string): string {
  const [, word = '', rest = ''] = /^(?:>= )?([A-Z][A-Za-z]+)(?:[,;] (.*))?$/.exec(summary) ?? [];
  const behaviour = BEHAVIOURS.find((known) => known === word);
  if (behaviour === undefined) return `during the outage: ${summary}`;
  const what = /^\d/.test(rest) ? `admitted ${rest}` : rest;
  return `${CLAUSES[behaviour]} during the outage${rest === '' ? '' : `; ${what}`}`;
}

export const api = {
  type: 'StoreOutage',
  member: 'storeOutage',
  schema,
  conditionMeaning:
    'In this run, a behavior or over-admission during the fault was not accepted. Or the limiter did not recover within settle, a limit was not returned, or the fault cost more than its price.',
  measures: [
    ...growing('requests', {
      notAdmitted:
        'Requests within the limit of their caller that were rejected, failed or timed out during the fault.',
      overAdmission:
        "Requests of one caller admitted beyond what the limit allows, by the sender's own count, whether or not it still waited for the response.",
    }),
    ...measures('requests', {
      underLimit:
        'Requests during the fault that the limit certainly allowed, whatever it had counted of those before.',
      serverErrors:
        'Requests of notAdmitted with a status from 500 on, except 503. Left out if there were none.',
    }),
    ...measures('ms', {
      latencyBefore: 'Median time to a response before the fault.',
      latencyDuring:
        'The same during the fault, of the responses that came in time; missing if none came. Requests that may have waited for the end of the fault do not count.',
      latencyAfter: 'The same after the fault.',
      timeToRecovery:
        'From the end of the fault until each pod admitted callers within their limits and rejected others again. With identity SourceAddress: until it responded and rejected the one caller. The bound is settle. A lower bound if that had not happened when the last request was sent.',
    }),
    ...measures('callers', {
      lockedOut:
        'Callers that were still rejected when their limit had to be returned. Only there if some were.',
    }),
    ...measures('requests', {
      overCounted:
        'Requests that were counted and not admitted, at least: those that limits lacked when callers were rejected after settle. Only there if a caller was.',
    }),
    ...measures('%', PRICES),
  ],
  finding: (_, summary) => behaviourClause(summary),
} as const satisfies FaultApi;

/** Behaviours with more admissions than the limit. */
const ADMITS_MORE = ['FailsOpen', 'Forgets'] as const;
/** Callers send for this much longer than `settle`: what is found to lack recovery has to lack it at its end. */
const SEND_ON_MS = 1000;
/** How long it may take to send the requests of callers whose limits have returned; milliseconds. */
const RETURNED_MS = 10_000;
/** Requests a second over all pods, and requests in flight: one run must not take up the process. */
const MOST_AT_ONCE = 1000;
/** Sentinel lets a former primary take writes for this long before it becomes a replica; milliseconds. */
const FAILOVER_MS = 8000;
/** How much of the pause its proof may take, before the one caller begins to send; milliseconds. */
const PROOF_MS = 500;

export class OutagePlan extends LimiterPlan<z.output<typeof schema>> {
  override readonly mechanism = mechanismOf(this.parameters.fault);
  readonly faultMs = parseDuration(this.parameters.fault.duration);
  readonly faultTitle = titleOf(this);
  readonly callerTimeoutMs = parseDuration(this.parameters.callerTimeout);
  readonly price = this.parameters.price;
  /** How long callers may take to be treated as before. */
  readonly recoverMs = parseDuration(this.parameters.settle);
  /** How long callers send after the fault. */
  readonly sendAfterMs = this.recoverMs + SEND_ON_MS;
  /** How long requests are sent and awaited after the fault. */
  readonly watchedAfterMs = this.sendAfterMs + this.callerTimeoutMs;
  override readonly lingerMs = this.mechanism.lasts === 'Lingers' ? this.watchedAfterMs : 0;
  /** How long callers wait for their limits to return; undefined: a run does not wait that long. */
  readonly returnsWithinMs = this.parameters.limitReturn === 'Skip' ? undefined : returnsWithin(this.rules);
  /** The longest that callers are watched after the fault. The watch ends sooner if the result is known. */
  readonly settleMs =
    this.watchedAfterMs +
    (this.returnsWithinMs === undefined
      ? 0
      : Math.max(this.returnsWithinMs, longestAskMs(this.rules)) + RETURNED_MS + this.callerTimeoutMs);
  /** From the announcement to the end of the watch. */
  readonly storyMs = this.countdownMs + this.timeoutMs + this.faultMs + this.watchedAfterMs;
  /** From the first request to the end of the traffic, with what the controls take. */
  readonly controlledStoryMs = this.storyMs + this.recoverMs + this.callerTimeoutMs;
  /** Whether windows end meanwhile: then a caller is over its limit only if it sends more than is replenished. */
  readonly windowsEnd = !this.isOneCaller && !fitsWindow(this.rules, this.controlledStoryMs);
  /** Whether the story is planned into one window by the clock: that may take a window, so only if there certainly is one. */
  readonly isInClockWindow = !this.windowsEnd && this.rules.every(followsClock);
  /** How long the fault lasts at least. */
  readonly leastMs = this.failsOver ? Math.min(this.faultMs, FAILOVER_MS) : this.faultMs;
  /** Requests of each kind to one pod that count: one that may be answered due to the end of the fault does not. */
  readonly requestsInFault = Math.max(
    0,
    Math.floor(((this.leastMs - this.callerTimeoutMs) / 1000) * this.parameters.requestsPerSecond),
  );
  override readonly cooldownsToPrepare = 2;
  /** Requests to each pod in a turn: of newcomers and residents, or of the one caller. */
  readonly #perTurn = this.isOneCaller ? 2 : 1 + RESIDENTS_PER_NEWCOMER;
  readonly #type = `${this.called}: storeOutage.fault.type ${this.parameters.fault.type}`;
  readonly #ofOne = `${this.called}${this.isOneCaller ? ' with one caller for all requests' : ''}`;

  get truth() {
    const { cause, causeBySentinel } = this.mechanism;
    const isOfBoth = this.part.redis.sentinel !== undefined && causeBySentinel !== undefined;
    return { anomalies: isOfBoth ? [cause, causeBySentinel] : [cause], at: 'store' } as const;
  }

  get invariant(): string {
    const { accept, settle } = this.parameters;
    const more = ADMITS_MORE.some((behaviour) => accept.includes(behaviour));
    const back = this.returnsWithinMs === undefined ? '' : ', and they get their limit back';
    return `callers get nothing but ${accept.join(' or ')}${more ? '' : ', and no more than the limit'}; within ${settle} after it they are treated as before${back}`;
  }

  override trafficTo(pods: number): number {
    return this.#perTurn * this.parameters.requestsPerSecond * pods;
  }

  /** Residents, and newcomers by what they send. */
  override callersOn(pods: number): number {
    const { requestsPerSecond } = this.parameters;
    const trafficMs = this.countdownMs + this.faultMs + this.sendAfterMs;
    const perSecond = (ms: number, requests: number): number => (ms / 1000) * requests * pods;
    const asked = perSecond(this.returnsWithinMs ?? 0, ASKING_PER_SECOND);
    return ASKING_CALLERS + callersDrawn(this.full, perSecond(trafficMs, requestsPerSecond) + asked);
  }

  /** From which its callers are drawn. */
  seedIn(fixture: string): number {
    return this.parameters.seed ?? seedOf(fixture);
  }

  /** From which the callers of an attempt on this many pods are drawn. */
  draw(pods: number, fixture: string): Draw {
    const span = { from: 0, to: this.leastMs, fresh: true };
    const most = this.windowsEnd ? leastOf(this.rules, span) : this.full;
    return {
      fixture,
      seed: this.seedIn(fixture),
      full: this.full,
      pods,
      inFault: RESIDENTS_PER_NEWCOMER * pods * this.requestsInFault,
      busyNeeds: most + LEAST_REQUESTS * pods,
    };
  }

  /** Keys of callers that have used their limits when the fault begins: Redis may lose their counts. */
  usedKeys(pods: number, fixture: string): string[] {
    const residents = residentsOf(this.draw(pods, fixture));
    return residents.flatMap(({ key, used, usedLate }) => (used + usedLate > 0 ? [key] : []));
  }

  unprovable(pods: number): string | undefined {
    return (
      faultProblem(this, PART, api.member) ??
      this.#lossUnseen(pods) ??
      this.#tooMuchForWindow() ??
      this.#badTraffic(pods) ??
      this.#limitUnseen(pods)
    );
  }

  /** Why the outcome of lost counts does not show. */
  #lossUnseen(pods: number): string | undefined {
    const { full } = this;
    const { fault, requestsPerSecond } = this.parameters;
    if (this.mechanism.lasts !== 'Moment') return undefined;
    if (this.windowsEnd) {
      return `${this.#type} needs callers that stay over their limit, and windows of ${PART}.limit.window ${this.part.limit.window} may end during the scenario: shorten storeOutage.fault.duration, or give the rate limiter a longer window for the test`;
    }
    const needed = full + LEAST_REQUESTS * pods;
    const sent = this.requestsInFault * pods;
    if (sent >= needed) return undefined;
    return `${this.#type}: a caller over its limit has to send ${counted(needed, 'request')} after the loss, to use its limit of ${full} up once more and be rejected; storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods give ${sent} in fault.duration ${fault.duration}: raise one of them, or give the rate limiter a lower limit for the test`;
  }

  #tooMuchForWindow(): string | undefined {
    if (!this.isOneCaller) return undefined;
    const fields =
      'countdown, storeOutage.fault.duration, storeOutage.settle, storeOutage.callerTimeout and health.timeout';
    return this.tooLongForWindow(fields);
  }

  /** Why each pod gets too few requests, or all of them too many. */
  #badTraffic(pods: number): string | undefined {
    const { callerTimeout, fault, requestsPerSecond } = this.parameters;
    const sent = this.requestsInFault;
    if (sent < LEAST_REQUESTS) {
      return `${this.called}: each pod needs ${LEAST_REQUESTS} requests that can time out within the fault, and storeOutage.requestsPerSecond ${requestsPerSecond} x (fault.duration ${fault.duration} - callerTimeout ${callerTimeout}) = ${sent}: lengthen storeOutage.fault.duration or raise requestsPerSecond`;
    }
    const open = Math.ceil(this.trafficTo(pods) * Math.max(1, this.callerTimeoutMs / 1000));
    if (open <= MOST_AT_ONCE) return undefined;
    return `${this.called}: ${this.#perTurn} x storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods x callerTimeout ${callerTimeout} = ${open} requests that may wait at once, at most ${MOST_AT_ONCE} are possible: lower storeOutage.requestsPerSecond or callerTimeout, or select fewer pods`;
  }

  /** Why callers under their limit, or over it, are not seen on every pod. */
  #limitUnseen(pods: number): string | undefined {
    if (this.isOneCaller) return this.#fewUnderLimit(pods) ?? this.#notOverLimit(pods);
    return this.windowsEnd ? (this.#notOverLimit(pods) ?? this.#fewInWindow(pods)) : undefined;
  }

  /** The one caller has to exceed its limit during the pause, but not too soon. */
  #fewUnderLimit(pods: number): string | undefined {
    const within = (LEAST_REQUESTS + 1) * pods;
    if (this.full >= within) return undefined;
    return `${this.#ofOne}: each of ${counted(pods, 'pod')} needs one request before the pause and ${LEAST_REQUESTS} during it under the limit, ${within} in all, and ${PART}.limit admits ${this.full} at once: ${pods > 1 ? 'select fewer pods, or ' : ''}give the rate limiter a higher limit for the test`;
  }

  /** Why not every pod rejects a caller in each window that ends in the pause. */
  #fewInWindow(pods: number): string | undefined {
    const { requestsPerSecond } = this.parameters;
    const { requests, window } = this.part.limit;
    const seconds = this.windowMs / 1000;
    const sent = Math.floor(requestsPerSecond * pods * seconds);
    const needed = requests + pods;
    if (sent >= needed) return undefined;
    const rate = Math.ceil(needed / (pods * seconds));
    return `${this.called}: a caller sends storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods = ${sent} requests in a window of ${PART}.limit.window ${window}, and needs ${needed} so that each pod rejects one beyond limit.requests ${requests}: set storeOutage.requestsPerSecond to ${rate}, or give the rate limiter a lower limit for the test`;
  }

  /** Why a caller does not get over its limit in the pause, with what is replenished in that time. */
  #notOverLimit(pods: number): string | undefined {
    const { isOneCaller, leastMs, rules } = this;
    const { fault, requestsPerSecond } = this.parameters;
    const span = { from: 0, to: leastMs, fresh: true };
    const most = leastOf(rules, isOneCaller ? { ...span, clockWithinMs: 0 } : span);
    const sendingMs = leastMs - Math.min(PROOF_MS, leastMs / 2) - this.callerTimeoutMs;
    const times = isOneCaller ? 2 : 1;
    const sent = Math.max(0, Math.floor((sendingMs / 1000) * times * requestsPerSecond) * pods);
    const needed = most + LEAST_REQUESTS * pods;
    if (sent >= needed) return undefined;
    return `${this.#ofOne}: the limit admits ${most} in the pause, and ${needed} have to be sent in it to judge those over the limit; ${isOneCaller ? '2 x ' : ''}storeOutage.requestsPerSecond ${requestsPerSecond} x ${pods} pods send ${sent} in what the proof and the last callerTimeout leave of ${fault.duration}: raise storeOutage.requestsPerSecond or fault.duration, or give the rate limiter a lower limit for the test`;
  }
}
