/** Faults of one of several equal replicas, if the others show that it is specific to this one. */

import { span } from '../../api/index.ts';
import { ALL_REPLICAS } from '../check-answer.ts';
import { claim, type Finding, namesOf, requests } from './finding.ts';
import { idsOf, largest, type Measurements, quantile, type Sample, sustainedAbove } from './measurements.ts';

/** A replica without an answer for this long is unreachable; less is a late probe. Milliseconds. */
const SILENT_MS = 1000;
/** Failed requests before they count against the replica. */
const MIN_FAILURES = 3;
/** A replica is slow if most answers take longer than this, and longer than the others' by the factor. */
const SLOW_MS = 50;
const SLOW_FACTOR = 5;
/** Minimum duration. If all requests came at once: minimum number of answers. */
const SLOW_FOR_MS = 700;
const SLOW_ANSWERS = 4;
/** A replica short of processor time still answers some requests at once. */
const SLOW_SHARE = 0.75;

const GOOD = ['requests-admitted', 'requests-rejected', 'others-admitted', 'others-rejected'] as const;
const FAILED = ['requests-errors', 'others-errors'] as const;
const UNANSWERED = ['requests-timeouts', 'others-timeouts'] as const;

/** The requests of one replica since the first failure. */
interface RequestTally {
  readonly replica: string;
  /** Time of the first failure; infinite if there was none. */
  readonly since: number;
  readonly good: number;
  readonly failed: number;
  readonly unanswered: number;
  /** The longest time without an answer of any kind. */
  readonly silence: { readonly from: number; readonly to: number; readonly ids: string[] } | undefined;
  readonly ids: string[];
}

/** Findings of all rules about single replicas. `storeIsWell`: nothing was found about the store. */
export function replicaFindings(measurements: Measurements, storeIsWell: boolean): Finding[] {
  const tallies = measurements.replicas.map((replica) => tallyOf(measurements, replica));
  const faulty = tallies.filter(isFaulty);
  if (faulty.length > 0 && faulty.length === tallies.length && (tallies.length > 1 || !storeIsWell)) {
    // If all replicas are affected, the cause is not one replica; the store explains it better.
    return storeIsWell ? [unexplained(faulty)] : [];
  }
  const found = faulty.map((tally) =>
    isUnreachable(measurements, tally) ? unreachable(tally, measurements) : failing(tally, measurements),
  );
  const others = measurements.replicas.filter(
    (replica) => !faulty.some((tally) => tally.replica === replica),
  );
  return [...found, ...others.flatMap((replica) => slow(measurements, replica) ?? [])];
}

function tallyOf(measurements: Measurements, replica: string): RequestTally {
  const samples = [...FAILED, ...UNANSWERED].flatMap((signal) => measurements.of(signal, replica));
  const firstFailure = samples
    .filter(({ value }) => value > 0)
    .reduce((at, s) => Math.min(at, s.at), Infinity);
  const quiet = largest(measurements.of('unreachable', replica));
  const [from, to] = quiet ? [quiet.at - quiet.value, quiet.at] : [Infinity, Infinity];
  const isSilent =
    quiet !== undefined &&
    quiet.value >= SILENT_MS &&
    GOOD.every((signal) => measurements.grown(signal, replica, from + 50, to) <= 0);
  const since = Math.min(firstFailure - 1, isSilent ? from : Infinity);
  const grown = (of: readonly (typeof GOOD | typeof FAILED | typeof UNANSWERED)[number][]): number =>
    of.reduce((sum, signal) => sum + measurements.grown(signal, replica, since), 0);
  return {
    replica,
    since,
    good: since === Infinity ? 0 : grown(GOOD),
    failed: since === Infinity ? 0 : grown(FAILED),
    unanswered: since === Infinity ? 0 : grown(UNANSWERED),
    silence: isSilent ? { from, to, ids: idsOf([quiet]) } : undefined,
    ids: idsOf(samples),
  };
}

function isFaulty({ failed, good, silence, unanswered }: RequestTally): boolean {
  const wrong = failed + unanswered;
  return silence !== undefined || (wrong >= MIN_FAILURES && wrong >= good);
}

/** Whether it is completely unreachable, and not only slow or failing. */
function isUnreachable(
  measurements: Measurements,
  { failed, good, replica, silence, since, unanswered }: RequestTally,
): boolean {
  if (silence) return true;
  const reportsCount = measurements.of('count-local', replica).some(({ at }) => at > since + SILENT_MS);
  return unanswered > failed && good === 0 && !reportsCount;
}

function unreachable(
  { good, ids, replica, silence, since, unanswered }: RequestTally,
  measurements: Measurements,
): Finding {
  const others = measurements.replicas.filter((other) => other !== replica);
  const answersOfOthers = others.flatMap((other) => GOOD.map((signal) => measurements.last(signal, other)));
  const counts = others.map((other) => measurements.last('count-local', other));
  return {
    anomaly: 'replica-unreachable',
    component: replica,
    action: 'restart-component',
    confidence: silence ? 0.9 : 0.7,
    onsetMs: since,
    chain: [
      ...claim(
        silence
          ? `${replica} gave no answer of any kind for ${span(silence.to - silence.from)}.`
          : `${replica} left ${requests(unanswered)} without an answer and answered ${good}.`,
        [...(silence?.ids ?? []), ...ids],
      ),
      ...claim(
        `${namesOf(others)} answered during that time: only ${replica} is affected.`,
        idsOf(answersOfOthers.some(Boolean) ? answersOfOthers : counts),
      ),
    ],
    consequences: ['unknown', 'replica-cut-off'],
  };
}

function failing(tally: RequestTally, measurements: Measurements): Finding {
  const { failed, good, ids, replica, since, unanswered } = tally;
  const local = measurements.last('count-local', replica);
  const isSlow = unanswered > failed;
  return {
    anomaly: isSlow ? 'replica-slow' : 'replica-cut-off',
    component: replica,
    action: 'restart-component',
    confidence: 0.6,
    onsetMs: since,
    chain: [
      ...claim(
        isSlow
          ? `${replica} did not answer ${requests(unanswered)} in time, and answered others (${good}).`
          : `${replica} answered ${requests(failed)} with an error: it is reachable, and cannot do its work.`,
        ids,
      ),
      ...claim(`It still reports its count (${local?.value ?? 0}).`, isSlow ? [] : idsOf([local])),
      ...claim(
        `The other replicas were not affected, and the store answered: the connection from ${replica} to the store is the likely cause.`,
        isSlow
          ? []
          : idsOf(measurements.replicas.map((other) => measurements.last('requests-admitted', other))),
      ),
    ],
    consequences: ['uncoordinated-admission', 'unknown'],
  };
}

function slow(measurements: Measurements, replica: string): Finding | undefined {
  const own = measurements.of('request-latency', replica);
  const others = measurements.replicas
    .filter((other) => other !== replica)
    .flatMap((other) => measurements.of('request-latency', other));
  if (others.length === 0) return undefined;
  const usual = quantile(others, 0.5);
  const threshold = Math.max(SLOW_MS, SLOW_FACTOR * usual);
  // If all are late now and then, a replica can be the only late one by chance.
  if (shareAbove(threshold, others) > shareAbove(threshold, own) / 2) return undefined;
  const slowInterval = sustainedAbove(own, threshold, SLOW_FOR_MS, SLOW_SHARE);
  const atOnce =
    own.length >= SLOW_ANSWERS &&
    quantile(own, 0.25) > Math.max(2 * SLOW_MS, SLOW_FACTOR * quantile(others, 0.75));
  if (!slowInterval && !atOnce) return undefined;
  const slowSamples: readonly Sample[] = slowInterval?.samples ?? own;
  // At the same time: a delay of all of them comes from elsewhere.
  const concurrent = slowInterval
    ? others.filter(({ at }) => at >= slowInterval.from && at <= slowInterval.to)
    : others;
  if (concurrent.length < SLOW_ANSWERS || quantile(concurrent, 0.5) > quantile(slowSamples, 0.5) / 3)
    return undefined;
  return {
    anomaly: 'replica-slow',
    component: replica,
    action: 'restart-component',
    confidence: 0.75,
    onsetMs: slowSamples[0]?.at ?? 0,
    chain: [
      ...claim(
        `${replica} took ${span(quantile(slowSamples, 0.5))} to answer${slowInterval ? `, for ${span(slowInterval.to - slowInterval.from)}` : ''}.`,
        idsOf(slowSamples),
      ),
      ...claim(`The others took ${span(usual)}: it is about ${replica} alone.`, idsOf(others)),
    ],
    consequences: ['unknown'],
  };
}

function shareAbove(threshold: number, samples: readonly Sample[]): number {
  return samples.filter(({ value }) => value > threshold).length / Math.max(1, samples.length);
}

function unexplained(bad: readonly RequestTally[]): Finding {
  const wrong = bad.reduce((sum, { failed, unanswered }) => sum + failed + unanswered, 0);
  return {
    anomaly: 'unknown',
    component: ALL_REPLICAS,
    action: 'wait',
    confidence: 0.4,
    onsetMs: Math.min(...bad.map(({ since }) => since)),
    chain: claim(
      `Every replica failed requests (${wrong} in all), and nothing was seen of the store that explains it.`,
      bad.flatMap(({ ids, silence }) => [...ids, ...(silence?.ids ?? [])]),
    ),
    consequences: [],
  };
}
