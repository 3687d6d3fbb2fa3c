/**
 * The steady traffic of one caller, and samples of its counters, as the checkers of drift share them. Pure. The violation
 * is dated earlier than the sample that shows it. The traffic knows when each of its requests was admitted, and a sample
 * that exceeded the bound at time t with S counts in Redis shows that Redis held at most S at any time before. So at the
 * (bound + S + 1)-th admission the drift already exceeded the bound.
 */
import type { Measure } from '../../../api/index.ts';
import type { Finding } from '../../checkers/checker.ts';
import type { RecordSetup } from '../../checkers/record.ts';
import { countByPod } from '../../checkers/requests.ts';
import { type AdmittedByPod, type CounterSample, totalAdmitted } from '../../history/counter-sample.ts';
import { sumOf } from '../../history/counts.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import { type FaultTimes, NOTHING_RECORDED, recorded } from '../../history/recorded.ts';
import type { Setup } from '../history/setup.ts';

export interface DriftSetup extends RecordSetup {
  readonly limit: number;
  readonly tolerance: number;
  /** The largest drift without a fault, at the same rate; undefined if it was not measured. */
  readonly lag: number | undefined;
  /** How long samples count after the end of the fault; milliseconds. */
  readonly settleMs: number;
  /** What was admitted without a fault; undefined: that was not measured. */
  readonly control?: NonNullable<Setup['baseline']>['denying'] | undefined;
}

/** A sample for the window of the key, with an answer of Redis. */
export interface CompleteSample extends Pick<CounterSample, 'admitted' | 'endedAt' | 'readAt'> {
  readonly stored: number;
  /** Admissions over all pods, less the count in Redis. */
  readonly drift: number;
}

const begin = (setup: DriftSetup) => ({
  ...NOTHING_RECORDED,
  setup,
  /** Requests since the fault was confirmed that have ended. */
  sent: 0,
  /** Answered with a server error, so not admitted, and nothing decided. */
  errors: 0,
  /** No answer came in time, or the connection broke. */
  timeouts: 0,
  /** Requests that were admitted, rejected, or failed without an admission; in the order in which they ended. */
  answers: [] as { readonly at: number; readonly pod: string; readonly isAdmitted: boolean }[],
  admittedAt: [] as number[],
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
  const { answers, admittedAt, inFlight, sampledAt } = seen;
  const onTheirWay = inFlight.get(pod) ?? 0;
  // It was one of those in flight, and must not be counted twice.
  if (sentAt <= sampledAt && onTheirWay > 0) inFlight.set(pod, onTheirWay - 1);
  const after = { ...seen, lastEndedAt: Math.max(seen.lastEndedAt, endedAt) };
  if (cause === 'Unreachable') return after;
  after.sent += 1;
  const isOpen = outcome === 'Timeout' || cause === 'Reset';
  if (isOpen) after.timeouts += 1;
  // The answer shows neither, so it is unknown whether the request was admitted.
  if (isOpen || cause === 'Answer') return after;
  const isAdmitted = outcome === 'Admitted';
  if (outcome === 'Error') after.errors += 1;
  if (isAdmitted) admittedAt.push(endedAt);
  answers.push({ at: endedAt, pod, isAdmitted });
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
  const after = { ...seen, hasLeftWindow, widest, admittedWhenSampled: seen.admittedAt.length };
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
  if (setup.lag === undefined) return seen;
  const { readAt, stored } = breaking;
  const brokenAt = Math.min(readAt, seen.admittedAt[bound + stored] ?? readAt);
  return { ...seen, broken: { brokenAt, detectedAt: sample.endedAt, whenDetected: driftOf(seen) } };
}

export function boundOf({ lag = 0, tolerance }: DriftSetup): number {
  return tolerance + lag;
}

/** Until when the fault is known to be active, or to have been; later observations are not of the fault. */
export function activeUntil({ endedAt = Infinity, doubtfulFrom = Infinity }: FaultTimes): number {
  return Math.min(endedAt, doubtfulFrom);
}

/** The end of the watch: the end of the fault, and the time to settle. */
export function watchTo({ setup, times: { endedAt } }: DriftSeen): number | undefined {
  return endedAt === undefined ? undefined : endedAt + setup.settleMs;
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
export function widestOf({ widest }: DriftSeen): number {
  return Math.max(0, widest?.drift ?? 0);
}

/** Of each pod, how many of these there are. */
export function byPod({ setup }: DriftSeen, some: DriftSeen['answers']): Map<string, number> {
  return countByPod(some, Object.fromEntries(setup.pods.map((pod) => [pod, 0])));
}

export function admittedBySender(seen: DriftSeen): AdmittedByPod {
  return Object.fromEntries(
    byPod(
      seen,
      seen.answers.filter(({ isAdmitted }) => isAdmitted),
    ),
  );
}

/** Requests over all pods; `open`: not answered in time, or yet, or properly, so they may have been admitted. */
export function totalsOf({ admittedAt, answers, errors, inFlight, sent, timeouts }: DriftSeen) {
  const [admitted, requests] = [admittedAt.length, sent + sumOf(inFlight.values())];
  const rejected = answers.length - admitted - errors;
  return { requests, admitted, rejected, errors, timeouts, open: requests - answers.length };
}

/** Whether more requests would have shown more: if `found` of the requests are all. */
export function isSaturated(seen: DriftSeen, found: number): boolean {
  const { requests } = totalsOf(seen);
  return requests > seen.setup.limit && found >= requests;
}

export function driftOf(seen: DriftSeen): Measure {
  const value = widestOf(seen);
  return {
    name: 'drift',
    value,
    bound: boundOf(seen.setup),
    unit: 'requests',
    ...(value > 0 && isSaturated(seen, value) && { atLeast: true }),
  };
}

/**
 * Whether another sample would decide something, so that it should be taken at once: two samples in a row decide, and
 * the admissions of the sender show when the first may exceed the bound.
 */
export function isUrgent({
  admittedAt,
  admittedWhenSampled,
  breaking,
  broken,
  samples,
  setup,
}: DriftSeen): boolean {
  if (broken) return false;
  const unseen = admittedAt.length - admittedWhenSampled;
  return breaking !== undefined || (unseen > 0 && (samples.at(-1)?.drift ?? 0) + unseen > boundOf(setup));
}
