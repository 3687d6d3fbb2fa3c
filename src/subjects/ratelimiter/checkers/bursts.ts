/**
 * Bursts of one caller each: their requests were concurrent, and the limiter admitted no more than the limit allows in
 * that time. Pure.
 */
import { excludedAbove } from '../../../engine/power.ts';
import { type BurstResult, burstResultOf } from '../../checkers/burst-result.ts';
import { applying, code, NOTHING } from '../../checkers/checker.ts';
import { type RecordSetup, record } from '../../checkers/record.ts';
import type { CallerRequest, HistoryEvent } from '../../history/events.ts';
import { NOTHING_RECORDED, type Recorded, recorded } from '../../history/recorded.ts';
import type { Setup } from '../history/setup.ts';
import { EXCLUDED, named, nameOf } from '../limits/counting.ts';
import { overAdmission } from '../limits/over-admission.ts';
import { mostOf, type Rules, type Span } from '../limits/rate-limit.ts';

/**
 * Requests that are written within this time count as concurrent. It is a fraction of the interval at which limiters
 * share counts, and many times what the requests of a usual burst need.
 */
const TOGETHER_MS = 100;
/** At least this many requests are written by one process, so the bound grows with a burst of thousands. */
const REQUESTS_PER_MS = 20;

/** How far apart the first and the last request of a burst may be; milliseconds. */
export function togetherMs(requests: number): number {
  return Math.max(TOGETHER_MS, requests / REQUESTS_PER_MS);
}

export interface BurstSetup extends RecordSetup, Pick<Setup, 'baseline' | 'clockWithinMs'> {
  /** As `BurstPlan`. */
  readonly plan: RecordSetup['plan'] & {
    readonly rules: Rules;
    readonly full: number;
    readonly windowMs: number;
    /** Whether all bursts are of one caller, whose limit may also be used by others. */
    readonly isOneCaller: boolean;
    readonly parameters: { readonly trials: number };
  };
}

/** One burst, as judged when its last answer was known. */
export type Trial = Readonly<ReturnType<typeof trialOf>>;

export interface BurstsSeen extends Recorded {
  readonly setup: BurstSetup;
  readonly trials: readonly Trial[];
  /** Requests of the burst that is being recorded. */
  readonly requests: CallerRequest[];
  /** Why no more bursts follow, although more were planned. */
  readonly stopped?: string;
}

export const burstFold = {
  init: (setup: BurstSetup): BurstsSeen => ({ ...NOTHING_RECORDED, setup, trials: [], requests: [] }),
  step(seen: BurstsSeen, event: HistoryEvent): BurstsSeen {
    if (event.kind === 'request') {
      seen.requests.push(event);
      return seen;
    }
    if (event.kind === 'burst') {
      const burst = burstResultOf(event, seen.requests);
      const trials = judgedTogether(seen.setup, [...seen.trials, trialOf(seen.setup, burst, event.at)]);
      return { ...seen, trials, requests: [] };
    }
    return event.kind === 'stopped' ? { ...seen, stopped: event.why } : recorded(seen, event);
  },
};

function trialOf(setup: BurstSetup, burst: BurstResult, judgedAt: number, rules = rulesIn(setup)) {
  const known = { firstSentAt: burst.startedAt, clockWithinMs: setup.clockWithinMs };
  const admissions = burst.outcomes.filter(({ outcome }) => outcome === 'Admitted');
  const over = overAdmission(rules, admissions, known);
  // The most that a correct limiter admits from the first request to the last admission.
  return { burst, judgedAt, over, bound: mostOf(rules, spanOf(setup, burst)) };
}

/** By which the limiter may count. */
function rulesIn({ baseline, plan }: BurstSetup): Rules {
  return named(plan.rules, baseline?.rules);
}

/**
 * If windows of each key may end at any time, a burst may get the limit of two. More than that of one is a violation if
 * so many bursts would have to have an end that this is excluded, whether each caller has its own windows or not.
 */
function judgedTogether(setup: BurstSetup, trials: readonly Trial[]): readonly Trial[] {
  const { isOneCaller, parameters, windowMs } = setup.plan;
  const others = rulesIn(setup).filter((rule) => nameOf(rule) !== 'EachKey');
  if (trials.length < parameters.trials || others.length === 0) return trials;
  const inOne = trials.map((trial) => trialOf(setup, trial.burst, trial.judgedAt, others));
  const spans = trials.map(({ burst }) => spanOf(setup, burst));
  const ends = spans.reduce((sum, { from, to }) => sum + (to - from + 1) / windowMs, 0);
  const likely = inOne.filter(isViolated).reduce((product, _, i) => (product * ends) / (i + 1), 1);
  const inMs = (spans.at(-1)?.to ?? 0) - (spans[0]?.from ?? 0);
  const isExcluded = likely < EXCLUDED && inMs < windowMs && !isOneCaller;
  return inOne.map((one, i) => (isExcluded || !isViolated(one) ? one : (trials[i] ?? one)));
}

/** From the first request of a burst to its last admission. */
function spanOf({ clockWithinMs }: BurstSetup, { admittedAt, startedAt }: BurstResult): Span {
  return { from: startedAt, to: admittedAt.at(-1) ?? startedAt, fresh: true, clockWithinMs };
}

/** One trial is enough to prove over-admission, even if its requests were not concurrent. */
export function isViolated({ over }: Trial): boolean {
  return over.excess > 0;
}

/** Whether every request was admitted or rejected, and all were concurrent. */
export function isConfirmed({ burst: { errors, requests, sendSpanMs, timeouts } }: Trial): boolean {
  return sendSpanMs <= togetherMs(requests) && errors + timeouts === 0;
}

/**
 * The trial whose figures and series are shown: the one with the most admissions, among those that violate the
 * invariant if there are any.
 */
export function shownTrial(trials: readonly Trial[]): number {
  const ranks = trials.map(
    (trial) => (isViolated(trial) ? Number.MAX_SAFE_INTEGER / 2 : 0) + trial.burst.admitted,
  );
  return Math.max(0, ranks.indexOf(Math.max(...ranks)));
}

/** What is missing to prove that a trial without a violation kept the limit. */
function missingIn(setup: BurstSetup, trial: Trial) {
  const { bound, burst } = trial;
  const { admitted, endedAt, errors, requests, sent, startedAt, timeouts } = burst;
  const { full, isOneCaller } = setup.plan;
  const rules = rulesIn(setup);
  const open = errors + timeouts;
  const mayCross =
    admitted > full && bound > full && !rules.every(({ algorithm }) => algorithm === 'TokenBucket');
  const spared = setup.pods.filter((pod) => !sent.get(pod));
  return [
    open > 0 && admitted + open > bound && code('Unanswered', { open, requests }),
    admitted < full && code('LimitNotReached', { admitted, full, isOneCaller }),
    mayCross && code('WindowMayHaveEnded', { admitted, full, isMeasurable: rules.length > 1 }),
    spared.length > 0 && code('PodsSpared', { pods: spared }),
    requests <= bound && code('BurstTooSmall', { requests, bound, tookMs: endedAt - startedAt }),
  ];
}

/**
 * The invariant over all trials: violated if it is in one, and proven only if each of those planned proved it. Its
 * figures are those of the trial with the most admissions.
 */
const bursts = {
  name: 'bursts',
  finding({ setup, stopped, trials }: BurstsSeen) {
    const shown = trials[shownTrial(trials)];
    if (!shown) return NOTHING;
    const planned = setup.plan.parameters.trials;
    const { bound, burst, over } = shown;
    const violated = trials.filter(isViolated).length;
    const isBroken = isViolated(shown);
    const { admitted, errors, rejected, requests, timeouts } = burst;
    const atLeast = admitted > bound && admitted === requests;
    return {
      isBroken,
      ...(isBroken && { brokenAt: Math.min(over.to, burst.endedAt), detectedAt: shown.judgedAt }),
      summary: code('Trials', { admitted, bound, atLeast, violated, trials: trials.length }),
      measures: {
        admitted,
        trials: trials.length,
        trialsViolated: violated,
        ...(violated === 0 && { excludesAbove: excludedAbove(trials.length) }),
        requests,
        rejected,
        errors,
        timeouts,
      },
      bounds: { admitted: bound },
      atLeast: atLeast ? ['admitted'] : [],
      missing: [
        ...trials.flatMap((trial, i) =>
          applying(missingIn(setup, trial)).map((found) => code('InTrial', { trial: i + 1, planned, found })),
        ),
        trials.length < planned && code('TrialsMissing', { trials: trials.length, planned, stopped }),
      ],
      evidence: [
        planned > 1 && code('EachTrial', { trials }),
        code('Burst', { burst }),
        isBroken ? code('BurstOverLimit', { over }) : code('BurstBound', { bound }),
      ],
    };
  },
};

export const BURST_CHECKERS = [record, bursts] as const;

/** A code about one trial. */
export type TrialCode = Exclude<ReturnType<typeof missingIn>[number], false>;
