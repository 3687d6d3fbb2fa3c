/** Signs of a fault of one of several equal replicas, if the others show that it is specific to this one. Pure. */
import { ALL_REPLICAS } from '../answer.ts';
import { largest, type Measurements, quantile, type Sample, sustainedAbove } from './measurements.ts';

/** A replica without an answer for this long is unreachable; less is a late probe. Milliseconds. */
const SILENT_MS = 1000;
/** Failed requests before they count against the replica. */
const LEAST_FAILURES = 3;
/** A replica is slow if most answers take longer than this, and longer than the others' by the factor. */
const SLOW_MS = 50;
const SLOW_FACTOR = 5;
const SLOW_FOR_MS = 700;
const LEAST_ANSWERS = 4;
/** A replica short of processor time still answers some requests at once. */
const SLOW_SHARE = 0.75;

const GOOD = ['requests-admitted', 'requests-rejected', 'others-admitted', 'others-rejected'] as const;
const ERRORS = ['requests-errors', 'others-errors'] as const;
const TIMEOUTS = ['requests-timeouts', 'others-timeouts'] as const;

/** Replicas that failed most requests since their first failure, or gave no answer for a while, unlike the others. */
export function failing(measurements: Measurements, storeFailsFrom: number) {
  const failures = failuresOf(measurements);
  // If all of them do, the cause is not one of them.
  const areAll = failures.length === measurements.replicas.length;
  return areAll && (failures.length > 1 || storeFailsFrom < Infinity) ? [] : failures;
}

/** All replicas, if each of them did so. */
export function allFailing(measurements: Measurements) {
  const failures = failuresOf(measurements);
  if (failures.length < Math.max(2, measurements.replicas.length)) return [];
  const from = Math.min(...failures.map((failure) => failure.from));
  const samples = failures.flatMap((failure) => failure.samples);
  return [{ component: ALL_REPLICAS, from, samples, confidence: 0.4 }];
}

function failuresOf(measurements: Measurements) {
  return measurements.replicas.flatMap((replica) => failureOf(measurements, replica) ?? []);
}

function failureOf(measurements: Measurements, replica: string) {
  const failures = measurements.all([...ERRORS, ...TIMEOUTS], [replica]);
  const first = Math.min(...failures.filter(({ value }) => value > 0).map(({ at }) => at));
  const quiet = largest(measurements.of('unreachable', replica));
  const quietFrom = quiet ? quiet.at - quiet.value : Infinity;
  const wasSilent =
    quiet !== undefined &&
    quiet.value >= SILENT_MS &&
    measurements.grown(GOOD, replica, quietFrom + 50, quiet.at) === 0;
  const from = Math.min(first - 1, wasSilent ? quietFrom : Infinity);
  if (from === Infinity) return undefined;
  const good = measurements.grown(GOOD, replica, from);
  const errors = measurements.grown(ERRORS, replica, from);
  const unanswered = measurements.grown(TIMEOUTS, replica, from);
  if (!wasSilent && errors + unanswered < Math.max(LEAST_FAILURES, good)) return undefined;
  const reportsCount = measurements.of('count-local', replica).some(({ at }) => at > from + SILENT_MS);
  const isAway = wasSilent || (unanswered > errors && good === 0 && !reportsCount);
  const anomaly = isAway ? 'replica-unreachable' : unanswered > errors ? 'replica-slow' : 'replica-cut-off';
  const samples = [...(wasSilent ? [quiet] : []), ...failures];
  const silentMs = wasSilent ? quiet.value : 0;
  const others = measurements.all(
    [...GOOD, 'count-local'],
    measurements.replicas.filter((other) => other !== replica),
  );
  const confidence = wasSilent ? 0.9 : 0.65;
  return {
    component: replica,
    anomaly,
    from,
    good,
    errors,
    unanswered,
    silentMs,
    samples,
    others,
    confidence,
  } as const;
}

/** Replicas that answer far later than the others do at that time, and do not fail. */
export function slow(measurements: Measurements) {
  const failures = failuresOf(measurements);
  return measurements.replicas
    .filter((replica) => !failures.some(({ component }) => component === replica))
    .flatMap((replica) => slowOf(measurements, replica) ?? []);
}

function slowOf(measurements: Measurements, replica: string) {
  const own = measurements.of('request-latency', replica);
  const others = measurements.all(
    ['request-latency'],
    measurements.replicas.filter((other) => other !== replica),
  );
  const usual = quantile(others, 0.5);
  const threshold = Math.max(SLOW_MS, SLOW_FACTOR * usual);
  const lateShare = (some: readonly Sample[]): number =>
    some.filter(({ value }) => value > threshold).length / some.length;
  const interval = sustainedAbove(own, threshold, SLOW_FOR_MS, SLOW_SHARE);
  // If all are late now and then, a replica can be the only late one by chance.
  if (!interval || lateShare(others) > lateShare(own) / 2) return undefined;
  const { from, samples, to } = interval;
  // A delay of all of them at the same time comes from elsewhere.
  const then = others.filter(({ at }) => at >= from && at <= to);
  const areQuick = then.length >= LEAST_ANSWERS && quantile(then, 0.5) <= quantile(samples, 0.5) / 3;
  return areQuick ? { component: replica, from, samples, usual, others, confidence: 0.75 } : undefined;
}
