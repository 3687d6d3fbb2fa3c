/**
 * The steady traffic of one caller, samples of its counters, and the checkers of drift: requests admitted in one window,
 * less those counted by Redis, stay within the tolerance plus the lag measured without a fault. Admissions of the sender
 * over the limit are reported as well, and not judged. Pure. The violation is dated earlier than the sample that shows it.
 * The traffic knows when each of its requests was admitted, and a sample that exceeded the bound at time t with S counts
 * in Redis shows that Redis held at most S at any time before. So at the (bound + S + 1)-th admission the drift already
 * exceeded the bound.
 */

import type { Measures } from '../../../api/index.ts';
import { code, type Finding } from '../../checkers/checker.ts';
import { proof, type RecordSetup, record } from '../../checkers/record.ts';
import { countByPod } from '../../checkers/requests.ts';
import { type AdmittedByPod, type CounterSample, totalAdmitted } from '../../history/counter-sample.ts';
import { sumOf } from '../../history/counts.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import { type FaultTimes, NOTHING_RECORDED, recorded } from '../../history/recorded.ts';
import type { Setup } from '../history/setup.ts';

/** Samples count for `settleMs` after the end of the fault; the rest is as in `DriftPlan`. */
export interface DriftSetup extends RecordSetup, Pick<Setup, 'baseline'> {
  readonly plan: RecordSetup['plan'] & Readonly<Record<'full' | 'settleMs' | 'tolerance', number>>;
}

/** A sample for the window of the key, with an answer of Redis. */
interface CompleteSample extends Pick<CounterSample, 'admitted' | 'endedAt' | 'readAt'> {
  readonly stored: number;
  /** Admissions over all pods, less the count in Redis. */
  readonly drift: number;
}

interface Ended {
  readonly at: number;
  readonly pod: string;
}

const begin = (setup: DriftSetup) => ({
  ...NOTHING_RECORDED,
  setup,
  /**
   * Requests since the fault was confirmed, in the order in which they ended. Error: a server error, so not admitted.
   * Timeout: no answer came in time, or the connection broke. Unclear: whether it was admitted is unknown.
   */
  ended: {
    Admitted: [] as Ended[],
    Rejected: [] as Ended[],
    Error: [] as Ended[],
    Timeout: [] as Ended[],
    Unclear: [] as Ended[],
  },
  /** Requests that were in flight at the last sample and have not ended since, by pod. */
  inFlight: new Map<string, number>(),
  /** All requests sent until then that have not ended are among them. */
  sampledAt: Number.NEGATIVE_INFINITY,
  lastEndedAt: Number.NEGATIVE_INFINITY,
  samples: [] as CompleteSample[],
  incomplete: 0,
  problem: undefined as string | undefined,
  /** Whether the window of the key ended. */
  hasLeftWindow: false,
  admittedWhenSampled: 0,
  widest: undefined as CompleteSample | undefined,
  /** The last sample, if it was above the bound in the fault: the next one decides. */
  breaking: undefined as CompleteSample | undefined,
  /** The first sample above the bound that was not of the fault. */
  outside: undefined as CompleteSample | undefined,
  isUnconfirmed: false,
  broken: undefined as Required<Pick<Finding, 'brokenAt' | 'detectedAt' | 'whenDetected'>> | undefined,
});

export type DriftSeen = Readonly<ReturnType<typeof begin>>;

export const driftFold = {
  init: begin,
  step(seen: DriftSeen, event: HistoryEvent): DriftSeen {
    if (event.kind === 'request') return requested(seen, event);
    return event.kind === 'count' ? sampled(seen, event) : recorded(seen, event);
  },
};

/** A request that was not sent counts as none. */
function requested(seen: DriftSeen, { cause, endedAt, outcome, pod, sentAt }: CallerRequest): DriftSeen {
  const { ended, inFlight, sampledAt } = seen;
  const onTheirWay = inFlight.get(pod) ?? 0;
  // It was one of those in flight, and must not be counted twice.
  if (sentAt <= sampledAt && onTheirWay > 0) inFlight.set(pod, onTheirWay - 1);
  const after = { ...seen, lastEndedAt: Math.max(seen.lastEndedAt, endedAt) };
  if (cause === 'Unreachable') return after;
  const isOpen = outcome === 'Timeout' || cause === 'Reset';
  ended[isOpen ? 'Timeout' : cause === 'Answer' ? 'Unclear' : outcome].push({ at: endedAt, pod });
  return after;
}

function sampled(before: DriftSeen, event: EventOf<'count'>): DriftSeen {
  const seen = {
    ...before,
    inFlight: new Map(Object.entries(event.inFlight)),
    // What a sample shows may be older than the sample, but not than the last request that ended.
    sampledAt: Math.max(event.endedAt, before.lastEndedAt),
  };
  if (isComplete(before)) return seen;
  const { admitted, elsewhere, endedAt, problems, readAt, stored } = event;
  const hasLeftWindow = before.hasLeftWindow || elsewhere.length > 0;
  if (stored === undefined) {
    const problem = problems[0] ?? before.problem;
    return { ...seen, hasLeftWindow, incomplete: before.incomplete + 1, problem };
  }
  const sample = { readAt, endedAt, admitted, stored, drift: totalAdmitted({ admitted }) - stored };
  before.samples.push(sample);
  const isWidest = before.widest === undefined || sample.drift > before.widest.drift;
  const widest = isWidest ? sample : before.widest;
  const after = { ...seen, hasLeftWindow, widest, admittedWhenSampled: seen.ended.Admitted.length };
  return judged(after, sample);
}

/** The invariant is violated above the bound in two complete samples in a row. */
function judged(seen: DriftSeen, sample: CompleteSample): DriftSeen {
  const { breaking, broken, isUnconfirmed, outside, setup, times } = seen;
  const bound = boundOf(setup);
  if (broken) return seen;
  if (sample.drift <= bound) {
    return { ...seen, breaking: undefined, isUnconfirmed: isUnconfirmed || breaking !== undefined };
  }
  const { startedAt = Number.POSITIVE_INFINITY } = times;
  const isInFault = sample.readAt >= startedAt && sample.endedAt <= activeUntil(times);
  if (!isInFault) return { ...seen, breaking: undefined, outside: outside ?? sample };
  if (breaking === undefined) return { ...seen, breaking: sample };
  if (setup.baseline?.lag === undefined) return seen;
  const { readAt, stored } = breaking;
  const brokenAt = Math.min(readAt, seen.ended.Admitted[bound + stored]?.at ?? readAt);
  return { ...seen, broken: { brokenAt, detectedAt: sample.endedAt, whenDetected: driftOf(seen) } };
}

function boundOf({ baseline, plan }: DriftSetup): number {
  return plan.tolerance + (baseline?.lag ?? 0);
}

/** Until when the fault is known to be active, or to have been; later observations are not of the fault. */
export function activeUntil({ endedAt = Infinity, doubtfulFrom = Infinity }: FaultTimes): number {
  return Math.min(endedAt, doubtfulFrom);
}

/** The end of the watch: the end of the fault, and the time to settle. */
function watchTo({ setup, times: { endedAt } }: DriftSeen): number | undefined {
  return endedAt === undefined ? undefined : endedAt + setup.plan.settleMs;
}

/** The end of the last complete sample; 0 before the first. */
export function watchedUntil({ samples }: DriftSeen): number {
  return samples.at(-1)?.endedAt ?? 0;
}

/** Whether it was watched to the end of the fault and the time to settle. */
export function isComplete(seen: DriftSeen): boolean {
  return watchedUntil(seen) >= (watchTo(seen) ?? Number.POSITIVE_INFINITY);
}

/** The largest lead of admissions over counts. */
function widestOf({ widest }: DriftSeen): number {
  return Math.max(0, widest?.drift ?? 0);
}

/** Of each pod, how many of these there are. */
function byPod({ setup }: DriftSeen, some: readonly Ended[]): Map<string, number> {
  return countByPod(some, Object.fromEntries(setup.pods.map((pod) => [pod, 0])));
}

export function admittedBySender(seen: DriftSeen): AdmittedByPod {
  return Object.fromEntries(byPod(seen, seen.ended.Admitted));
}

/** Requests over all pods; `open`: not answered in time, or yet, or properly, so they may have been admitted. */
function totalsOf({ ended, inFlight }: DriftSeen) {
  const answered = {
    admitted: ended.Admitted.length,
    rejected: ended.Rejected.length,
    errors: ended.Error.length,
  };
  const timeouts = ended.Timeout.length;
  const open = timeouts + ended.Unclear.length + sumOf(inFlight.values());
  return { requests: sumOf(Object.values(answered)) + open, ...answered, timeouts, open };
}

/** Whether more requests would have shown more: if `found` of the requests are all. */
function isSaturated(seen: DriftSeen, found: number): boolean {
  const { requests } = totalsOf(seen);
  return requests > seen.setup.plan.full && found >= requests;
}

function driftOf(seen: DriftSeen) {
  const drift = widestOf(seen);
  const atLeast = drift > 0 && isSaturated(seen, drift) ? ['drift'] : [];
  return { measures: { drift }, bounds: { drift: boundOf(seen.setup) }, atLeast };
}

/**
 * Whether another sample would decide something, so that it should be taken at once: two samples in a row decide, and
 * the admissions of the sender show when the first may exceed the bound.
 */
export function isUrgent(seen: DriftSeen): boolean {
  const { admittedWhenSampled, breaking, broken, ended, samples, setup } = seen;
  if (broken) return false;
  const unseen = ended.Admitted.length - admittedWhenSampled;
  return breaking !== undefined || (unseen > 0 && (samples.at(-1)?.drift ?? 0) + unseen > boundOf(setup));
}

/** Complete samples further apart than this are a gap, whatever the length of the fault. They are due every 100 ms. */
const MAX_GAP_MS = 1000;

const drift = {
  name: 'drift',
  finding(seen: DriftSeen) {
    const { broken, isUnconfirmed, outside, setup, times, widest } = seen;
    const { tolerance } = setup.plan;
    const lag = setup.baseline?.lag;
    const bound = boundOf(setup);
    const figures = driftOf(seen);
    const { open } = totalsOf(seen);
    return {
      isBroken: broken !== undefined,
      ...broken,
      summary: code('Drift', { ...figures.measures, bound, atLeast: figures.atLeast.length > 0 }),
      ...figures,
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
  name: 'traffic',
  finding(seen: DriftSeen) {
    const { ended, setup, times } = seen;
    const { full: limit } = setup.plan;
    const [from, to] = [times.startedAt ?? 0, activeUntil(times)];
    const inFault = (some: readonly Ended[]): Ended[] => some.filter(({ at }) => at >= from && at <= to);
    const answers = [...ended.Admitted, ...ended.Rejected, ...ended.Error];
    const admissions = inFault(ended.Admitted);
    const admitted = admissions.length;
    const { open, ...totals } = totalsOf(seen);
    const overAdmission = Math.max(0, admitted - limit);
    const atLeast = overAdmission > 0 && isSaturated(seen, ended.Admitted.length);
    return {
      summary: code('Admitted', { atLeast, admitted, limit }),
      measures: { overAdmission, ...totals },
      atLeast: atLeast ? ['overAdmission'] : [],
      missing: [
        ...[...byPod(seen, inFault(answers))].map(
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
  name: 'samples',
  finding(seen: DriftSeen) {
    const { ended, hasLeftWindow, incomplete, problem, samples: all, times } = seen;
    const { endedAt = Number.POSITIVE_INFINITY, startedAt: from = 0, until } = times;
    const within = all.filter((one) => one.readAt >= from && one.endedAt <= endedAt).length;
    const gapMs = largestGap(all, from, watchTo(seen));
    // Even a short fault must not fit into a gap.
    const mostMs = Math.min(MAX_GAP_MS, (until - from) / 4);
    const since = all.filter((one) => one.endedAt >= from).length;
    const last = all.at(-1);
    const isSettled = last !== undefined && last.readAt >= (ended.Admitted.at(-1)?.at ?? 0);
    const figures = { sampled: last ? totalAdmitted(last) : 0, recorded: ended.Admitted.length };
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
  name: 'control',
  finding({ setup: { baseline } }: DriftSeen) {
    const made = baseline?.denying;
    return {
      ...(made && { measures: { controlAdmitted: made.admitted }, bounds: { controlAdmitted: made.limit } }),
      missing: [!made && code('NoControl')],
      evidence: [made && code('Control', made)],
    };
  },
};

export const DRIFT_CHECKERS = [record, drift, proof, traffic, samples, control] as const;

/** Whether the counters were ever further apart than without a fault. */
export function hasDrifted(seen: DriftSeen): boolean {
  return widestOf(seen) > (seen.setup.baseline?.lag ?? 0);
}

/**
 * The number of admissions that were not counted. A limiter may also count rejections: then more may be under-counted
 * if counts are missing, or if there are more of them than admissions.
 */
export function underCounted(admitted: number, stored: number): Measures {
  return {
    measures: { underCounted: Math.max(0, admitted - stored) },
    atLeast: stored === admitted ? [] : ['underCounted'],
  };
}
