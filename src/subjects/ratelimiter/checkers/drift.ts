/**
 * The checkers of drift: requests admitted in one window, less those counted by Redis, stay within the tolerance plus the
 * lag measured without a fault. Admissions of the sender over the limit are reported as well, and not judged. Pure.
 */
import type { Measure } from '../../../api/index.ts';
import { code, figure } from '../../checkers/checker.ts';
import { proof, record } from '../../checkers/record.ts';
import { totalAdmitted } from '../../history/counter-sample.ts';
import {
  activeUntil,
  boundOf,
  byPod,
  type DriftSeen,
  driftFold,
  driftOf,
  isSaturated,
  totalsOf,
  watchTo,
  widestOf,
} from './drift-seen.ts';

/** Complete samples further apart than this are a gap, whatever the length of the fault. They are due every 100 ms. */
const MAX_GAP_MS = 1000;

const drift = {
  ...driftFold,
  name: 'drift',
  finding(seen: DriftSeen) {
    const { broken, isUnconfirmed, outside, setup, times, widest } = seen;
    const { lag, tolerance } = setup;
    const bound = boundOf(setup);
    const measure = driftOf(seen);
    const { open } = totalsOf(seen);
    return {
      isBroken: broken !== undefined,
      ...broken,
      summary: code('Drift', { measure, bound }),
      measures: [measure],
      missing: [
        lag === undefined && code('LagUnknown'),
        outside && code('NotOfFault', { drift: outside.drift, at: outside.readAt, ...times }),
        isUnconfirmed && code('Unconfirmed'),
        open > 0 && (widest?.drift ?? 0) + open > bound && code('OpenRequests', { requests: open }),
      ],
      evidence: [
        widest && code('Widest', { ...widest, startedAt: times.startedAt }),
        code('Bound', { tolerance, lag }),
      ],
    };
  },
};

const traffic = {
  ...driftFold,
  name: 'traffic',
  finding(seen: DriftSeen) {
    const { admittedAt, answers, setup, times } = seen;
    const { limit } = setup;
    const [from, to] = [times.startedAt ?? 0, activeUntil(times)];
    const inFault = answers.filter(({ at }) => at >= from && at <= to);
    const admissions = inFault.filter(({ isAdmitted }) => isAdmitted);
    const admitted = admissions.length;
    const { open, ...totals } = totalsOf(seen);
    const value = Math.max(0, admitted - limit);
    const atLeast = value > 0 && isSaturated(seen, admittedAt.length);
    const measure: Measure = { ...figure('overAdmission', value), ...(atLeast && { atLeast }) };
    return {
      summary: code('Admitted', { measure, admitted, limit }),
      measures: [measure, ...Object.entries(totals).map(([name, count]) => figure(name, count))],
      missing: [
        ...[...byPod(seen, inFault)].map(
          ([pod, have]) => have < limit && code('TooFewChecks', { pod, have, need: limit }),
        ),
        // A limiter that rejects all callers has nothing to count.
        admitted === 0 && code('NothingAdmitted'),
      ],
      evidence:
        totals.requests > 0
          ? [
              code('AdmittedInFault', { admitted, byPod: byPod(seen, admissions), limit }),
              code('Traffic', {
                ...totals,
                others: open - totals.timeouts,
                answered: byPod(seen, answers),
              }),
              code('Outcomes', { ...totals, limit }),
            ]
          : [],
    };
  },
};

/** Redis was really sampled, without a gap, and the samples have the admissions that were recorded. */
const samples = {
  ...driftFold,
  name: 'samples',
  finding(seen: DriftSeen) {
    const { admittedAt, hasLeftWindow, incomplete, problem, samples: all, times } = seen;
    const { endedAt = Number.POSITIVE_INFINITY, startedAt: from = 0, until } = times;
    const within = all.filter((one) => one.readAt >= from && one.endedAt <= endedAt).length;
    const gapMs = largestGap(all, from, watchTo(seen));
    // Even a short fault must not fit into a gap.
    const mostMs = Math.min(MAX_GAP_MS, (until - from) / 4);
    const since = all.filter((one) => one.endedAt >= from).length;
    const last = all.at(-1);
    const isSettled = last !== undefined && last.readAt >= (admittedAt.at(-1) ?? 0);
    const figures = { sampled: last ? totalAdmitted(last) : 0, recorded: admittedAt.length };
    return {
      missing: [
        within < 2 && code('TooFewSamples', { samples: within, isEndKnown: times.endedAt !== undefined }),
        gapMs > mostMs && code('SampleGap', { gapMs, problem }),
        hasLeftWindow && code('WindowLeft'),
        isSettled && figures.sampled !== figures.recorded && code('CountsDiffer', figures),
      ],
      evidence: [code('Samples', { samples: since, incomplete, gapMs })],
    };
  },
};

/** Longest time without a complete sample from `from` to the last one, or to `to`; milliseconds. */
function largestGap(all: DriftSeen['samples'], from: number, to = Number.POSITIVE_INFINITY): number {
  let [gap, previous] = [0, from];
  for (const { endedAt } of all) {
    if (endedAt < from) continue;
    gap = Math.max(gap, Math.min(endedAt, to) - previous);
    previous = endedAt;
  }
  return gap;
}

/** A limiter that rejects everything violates nothing either. */
const control = {
  ...driftFold,
  name: 'control',
  finding: ({ setup: { control: made } }: DriftSeen) => ({
    measures: [
      made && { name: 'controlAdmitted', value: made.admitted, bound: made.limit, unit: 'requests' },
    ],
    missing: [!made && code('NoControl')],
    evidence: [made && code('Control', made)],
  }),
};

export const DRIFT_CHECKERS = [record, drift, proof, traffic, samples, control] as const;

/** Whether the counters were ever further apart than without a fault. */
export function hasDrifted(seen: DriftSeen): boolean {
  return widestOf(seen) > (seen.setup.lag ?? 0);
}

/**
 * The number of admissions that were not counted. A limiter may also count rejections: then more may be under-counted
 * if counts are missing, or if there are more of them than admissions.
 */
export function underCounted(admitted: number, stored: number): Measure {
  const value = Math.max(0, admitted - stored);
  const atLeast = stored !== admitted;
  return { ...figure('underCounted', value), ...(atLeast && { atLeast }) };
}
