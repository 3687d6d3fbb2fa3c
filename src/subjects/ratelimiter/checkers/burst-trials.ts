/** Several bursts, each on its own key, as one fault. Pure. */

import { counted } from '../../../api/index.ts';
import type { FaultReport, InvariantReading } from '../../../demo/observed.ts';
import { excludedAbove } from '../../../demo/power.ts';
import type { FaultEvidence } from '../../../demo/subject.ts';
import type { BurstResult } from './burst-result.ts';

/** Trials whose figures are listed one by one. */
const MOST_LISTED = 10;
/** Bursts that are shown as bands in evidence, besides those of the fault itself. */
const MOST_BANDS = 12;

/** One burst with its report and its reading. */
export interface Trial {
  readonly burst: BurstResult;
  readonly report: FaultReport;
  readonly reading: InvariantReading;
}

/** The key of each trial; the first is the fixture itself. */
export function trialKeys(fixture: string, trials: number): string[] {
  return Array.from({ length: trials }, (_, i) => (i === 0 ? fixture : `${fixture}-trial-${i + 1}`));
}

/** One trial is enough to prove over-admission, even if its requests were not concurrent. */
function isBroken({ reading }: Trial): boolean {
  return reading.detectedAt !== undefined;
}

/** All bursts as one fault. Confirmed if all are confirmed, or if a confirmed one shows over-admission. */
export function reportOf(trials: readonly Trial[], pods: number): FaultReport {
  const [first] = trials;
  const last = trials.at(-1);
  if (!first || !last) throw new RangeError('no burst was sent');
  const isConfirmed = ({ report }: Trial): boolean => report.proof === 'Confirmed';
  const decisive =
    trials.find((trial) => isBroken(trial) && isConfirmed(trial)) ??
    trials.find((trial) => !isConfirmed(trial));
  const { proof = 'Inconclusive' } = decisive?.report ?? first.report;
  const span = {
    startedAt: first.burst.startedAt,
    endedAt: last.burst.endedAt,
    proof,
    evidence: trials.length === 1 ? first.report.evidence : [spansOf(trials, pods)],
  };
  if (trials.length === 1) return { ...first.report, ...span };
  const failed = trials.findIndex((trial) => !isConfirmed(trial));
  const message =
    failed >= 0
      ? `Trial ${failed + 1} of ${trials.length}: ${trials[failed]?.report.message}`
      : `${spansOf(trials, pods)}: ${list(trials, ({ burst }) => burst.admitted)} admitted`;
  return { ...span, message };
}

function spansOf(trials: readonly Trial[], pods: number): string {
  const { requests = 0 } = trials[0]?.burst ?? {};
  const spans = list(trials, ({ burst }) => burst.sendSpanMs, 1);
  return `${counted(trials.length, 'burst')} of ${counted(requests, 'request')} over ${counted(pods, 'pod')}, written within ${spans} ms`;
}

/** A figure of each trial; if there are many, the minimum and the maximum. */
function list(trials: readonly Trial[], of: (trial: Trial) => number, digits = 0): string {
  const figures = trials.map(of);
  if (figures.length <= MOST_LISTED) return figures.map((figure) => figure.toFixed(digits)).join(', ');
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return least === most ? most.toFixed(digits) : `${least.toFixed(digits)} to ${most.toFixed(digits)}`;
}

/**
 * The trial whose figures and series are shown: the one with the most admissions, among those that violate the
 * invariant if there are any.
 */
export function shownTrial(trials: readonly Trial[]): number {
  const rank = (trial: Trial): number =>
    (isBroken(trial) ? Number.MAX_SAFE_INTEGER / 2 : 0) + trial.burst.admitted;
  const ranks = trials.map(rank);
  return Math.max(0, ranks.indexOf(Math.max(...ranks)));
}

/**
 * The invariant over all trials: violated if it is in one, and proven only if each of the `planned` trials proved it. Its
 * figures are those of the trial with the most admissions.
 * @throws RangeError if there is none
 */
export function readingOf(
  trials: readonly Trial[],
  planned: number,
  stopped: string | undefined,
): InvariantReading {
  const broken = trials.filter(isBroken);
  const shown = trials[shownTrial(trials)]?.reading;
  if (!shown) throw new RangeError('there is no trial');
  const shortfalls = trials.flatMap(({ reading }, i) =>
    reading.shortfalls.map((missing) => (planned > 1 ? `trial ${i + 1}: ${missing}` : missing)),
  );
  if (trials.length < planned) {
    shortfalls.push(`${trials.length} of ${counted(planned, 'trial')} made${stopped ? `: ${stopped}` : ''}`);
  }
  const each =
    planned > 1
      ? [
          `Admitted in each trial, of ${counted(trials[0]?.burst.requests ?? 0, 'request')}: ${list(trials, ({ burst }) => burst.admitted)}`,
        ]
      : [];
  const [invariant, ...measures] = shown.measures;
  return {
    ...shown,
    measures: [
      ...(invariant ? [invariant] : []),
      { name: 'trials', value: trials.length, unit: 'trials' },
      { name: 'trialsViolated', value: broken.length, unit: 'trials' },
      ...(broken.length === 0
        ? [{ name: 'excludesAbove', value: excludedAbove(trials.length), unit: '%' }]
        : []),
      ...measures,
    ],
    summary: `${shown.summary}, ${broken.length}/${counted(trials.length, 'trial')}`,
    trials: trials.length,
    shortfalls,
    evidence: [...each, ...shown.evidence],
  };
}

/** When bursts were sent, and their results: if there are many, the first ones and the one whose series are `shown`. */
export function burstBands(bursts: readonly BurstResult[], shown: number): FaultEvidence['bands'] {
  const kept = bursts.filter((_, i) => i < MOST_BANDS - 1 || i === shown);
  return kept.map(({ admitted, endedAt, requests, startedAt }) => ({
    kind: 'burst',
    from: startedAt,
    to: endedAt,
    text: `${admitted} of ${counted(requests, 'request')} admitted`,
  }));
}
