/** The findings about bursts in words. */
import { counted } from '../../../../api/index.ts';
import type { FaultReport } from '../../../../engine/observed.ts';
import type { BurstResult } from '../../../checkers/burst-result.ts';
import type { Code, CodeOf } from '../../../checkers/checker.ts';
import { atLeast, COMMON, countsText, perPod, wording } from '../../../scenarios/words.ts';
import {
  type BURST_CHECKERS,
  isConfirmed,
  isViolated,
  type Trial,
  type TrialCode,
  togetherMs,
} from '../../checkers/bursts.ts';

/** Trials whose figures are listed one by one. */
const MOST_LISTED = 10;

export const burstWords: (found: Code) => string = wording<
  CodeOf<(typeof BURST_CHECKERS)[number]> | TrialCode
>({
  ...COMMON,
  Trials: ({ admitted, bound, trials, violated, ...found }) =>
    `${atLeast(found)}${admitted}/${bound}, ${violated}/${counted(trials, 'trial')}`,
  EachTrial: ({ trials }) => `Admitted in each trial, of ${sizeOf(trials)}: ${admittedOf(trials)}`,
  Burst: ({ burst }) =>
    `Sender: ${counted(burst.requests, 'request')}, ${outcomesOf(burst)}${burst.admitted > 0 ? `; admitted by ${perPod(burst.admittedBy)}` : ''}`,
  BurstOverLimit: ({ over }) =>
    `Of those, ${over.admitted} were sent and admitted within ${Math.round(over.to - over.from)} ms, in which the limit allows ${over.bound}`,
  BurstBound: ({ bound }) => `In the time that it took the limit allows ${bound}`,
  InTrial: ({ found, planned, trial }) => `${planned > 1 ? `trial ${trial}: ` : ''}${burstWords(found)}`,
  TrialsMissing: ({ planned, stopped, trials }) =>
    `${trials} of ${counted(planned, 'trial')} made${stopped === undefined ? '' : `: ${stopped}`}`,
  Unanswered: ({ open, requests }) => `${open} of ${counted(requests, 'request')} without a proper response`,
  LimitNotReached: ({ admitted, full, isOneCaller }) =>
    isOneCaller
      ? `${admitted} were admitted where the limit allows ${full} at once, so it was not replenished. Check which other client sends requests to these pods from the address of the operator`
      : `only ${admitted} of the ${full} that the limit allows were admitted, so the rate limiter was not seen at its limit`,
  WindowMayHaveEnded: ({ admitted, full, isMeasurable }) =>
    `${admitted} were admitted, and one window allows ${full}: a window may have ended during the burst, or the limit was not kept${isMeasurable ? '. To decide, set rateLimiter.limit.windowStart' : ''}`,
  PodsSpared: ({ pods }) => `${pods.join(', ')} got no request`,
  BurstTooSmall: ({ bound, requests, tookMs }) =>
    `the burst had ${counted(requests, 'request')}, and in the ${Math.round(tookMs)} ms that it took the limit allows ${bound}`,
});

/** All bursts as one fault. Confirmed if all are confirmed, or if a confirmed one shows over-admission. */
export function reportOf(trials: readonly Trial[], pods: number): FaultReport {
  const [first] = trials;
  const last = trials.at(-1);
  if (!first || !last) throw new RangeError('no burst was sent');
  const isOne = trials.length === 1;
  const sent = `${isOne ? '' : `${counted(trials.length, 'burst')} of `}${sentText(trials, pods)}`;
  const failed = trials.findIndex((trial) => !isConfirmed(trial));
  const isProven = failed < 0 || trials.some((trial) => isViolated(trial) && isConfirmed(trial));
  const came = isOne ? outcomesOf(first.burst) : `${admittedOf(trials)} admitted`;
  return {
    startedAt: first.burst.startedAt,
    endedAt: last.burst.endedAt,
    proof: isProven ? 'Confirmed' : 'Inconclusive',
    message: trials[failed]
      ? `${isOne ? '' : `Trial ${failed + 1} of ${trials.length}: `}${problemOf(trials[failed], pods)}`
      : `${sent}: ${came}`,
    evidence: [isOne ? `Burst: ${sent}` : sent],
  };
}

/** Why a burst proves nothing. */
function problemOf(trial: Trial, pods: number): string {
  const { firstError = 'unknown', requests, sendSpanMs } = trial.burst;
  const most = togetherMs(requests);
  return `${sentText([trial], pods)}: ${outcomesOf(trial.burst)}. ${
    sendSpanMs > most
      ? `Only requests within ${most} ms are a burst: these prove nothing, since the pods could share their counts in that time. Free processor time for the operator, or send fewer requests`
      : `First: ${firstError}`
  }`;
}

function sentText(trials: readonly Trial[], pods: number): string {
  const spans = list(
    trials.map(({ burst }) => burst.sendSpanMs),
    1,
  );
  return `${sizeOf(trials)} over ${counted(pods, 'pod')}, written within ${spans} ms`;
}

function sizeOf(trials: readonly Trial[]): string {
  return counted(trials[0]?.burst.requests ?? 0, 'request');
}

function admittedOf(trials: readonly Trial[]): string {
  return list(trials.map(({ burst }) => burst.admitted));
}

/** "15 admitted, 5 rejected": every outcome in a burst. */
function outcomesOf({ admitted, errors, rejected, timeouts }: BurstResult): string {
  return countsText({ Admitted: admitted, Rejected: rejected, Error: errors, Timeout: timeouts });
}

/** A figure of each trial; if there are many, the minimum and the maximum. */
function list(figures: readonly number[], digits = 0): string {
  if (figures.length <= MOST_LISTED) return figures.map((figure) => figure.toFixed(digits)).join(', ');
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return least === most ? most.toFixed(digits) : `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
}
