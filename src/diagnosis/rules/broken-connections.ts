/** Connections to the store that end soon after they are made, and not because the replicas gave them up. Pure. */
import { span } from '../../api/index.ts';
import { claim, type Finding } from './finding.ts';
import { type Interval, idsOf, largest, type Measurements, quantile, type Sample } from './measurements.ts';

/** New connections a second: this many for each replica, and this many times the usual. */
const MADE_EACH = 2;
const MADE_FACTOR = 3;
/** For this long. Milliseconds. */
const LEAST_MS = 900;
/** A replica that waits for the store until a timeout answers later than this. Milliseconds. */
const QUICK_MS = 100;
const MIN_ANSWERS = 8;

interface Churn extends Interval {
  readonly made: number;
  /** New connections a second while all else was usual. */
  readonly usual: number;
}

/**
 * An interval in which the store accepted new connections all the time. A replica also makes a new one if it has given
 * up the old one for lateness, and answers late then. So this is a finding only if the replicas answered at once, or if
 * connections were made before the first late answer or timeout.
 */
export function brokenConnections(measurements: Measurements, store: string): Finding | undefined {
  const churn = churnOf(measurements.of('connections-made', store), measurements.replicas.length);
  if (!churn) return undefined;
  const { from, samples, to } = churn;
  const answers = measurements.replicas
    .flatMap((replica) => measurements.of('request-latency', replica))
    .filter(({ at, value }) => at - value >= from && at <= to);
  const median = answers.length >= MIN_ANSWERS ? quantile(answers, 0.5) : undefined;
  const isQuick = median !== undefined && median <= QUICK_MS;
  const timeouts = firstTimeouts(measurements, from);
  const late = answers.filter(({ value }) => value > QUICK_MS);
  // A replica that gives up does so after a fixed time: no sooner than the quickest of its late answers came.
  const givenUpAt = Math.min(...timeouts.map(({ at }) => at), ...late.map(({ value }) => from + value));
  if (!isQuick && !wereMadeBefore(givenUpAt, churn, measurements.replicas.length)) return undefined;
  const write = largest(
    [...measurements.of('write-outstanding', store), ...measurements.of('write-latency', store)].filter(
      ({ at }) => at > from && at - 1000 <= to,
    ),
  );
  return {
    anomaly: 'store-connections-broken',
    component: store,
    action: 'wait',
    confidence: isQuick ? 0.85 : 0.7,
    onsetMs: from,
    chain: [
      ...claim(
        `${store} accepted ${churn.made} new connections within ${span(to - from)} (usually ${churn.usual.toFixed(1)} a second): they ended soon after they were made.`,
        idsOf(samples),
      ),
      ...(isQuick
        ? claim(
            `The replicas answered within ${span(median)} (median) during that time: they did not give up connections that were late.`,
            idsOf(answers),
          )
        : claim(
            `Connections were made again before the first late answer or timeout: the replicas had not given them up.`,
            idsOf([...samples, ...timeouts, ...late]),
          )),
      ...claim(
        `During that time a write of another client took up to ${span(write?.value ?? 0)}.`,
        idsOf([write]),
      ),
    ],
    consequences: [
      'store-writes-stalled',
      'uncoordinated-admission',
      'limit-not-enforced',
      'replica-cut-off',
      'replica-slow',
      'unknown',
    ],
  };
}

/**
 * The longest interval in which enough connections were made all the time; `samples` are of a running total. The rate at
 * a sample is that from the one before it to the one after it: a moment without any is no gap.
 */
function churnOf(samples: readonly Sample[], replicas: number): Churn | undefined {
  const rates = samples.map((sample, i): Sample => {
    const [before, after] = [samples[i - 1] ?? sample, samples[i + 1] ?? sample];
    return { ...sample, value: (1000 * (after.value - before.value)) / Math.max(1, after.at - before.at) };
  });
  const usual = quantile(rates, 0.1);
  const least = Math.max(MADE_EACH * replicas, MADE_FACTOR * usual);
  let best: Churn | undefined;
  let begin: number | undefined;
  for (const [i, last] of samples.entries()) {
    begin = (rates[i]?.value ?? 0) >= least ? (begin ?? i) : undefined;
    const first = samples[begin ?? i];
    const length = last.at - (first?.at ?? last.at);
    if (begin === undefined || !first || length < LEAST_MS || (best && length <= best.to - best.from))
      continue;
    const within = samples.slice(begin, i + 1);
    best = { from: first.at, to: last.at, samples: within, made: last.value - first.value, usual };
  }
  return best;
}

/** The first requests after `from` that had no answer in time, of each replica and kind. */
function firstTimeouts(measurements: Measurements, from: number): Sample[] {
  return measurements.replicas.flatMap((replica) =>
    (['requests-timeouts', 'others-timeouts'] as const).flatMap((signal) => {
      const before = measurements.last(signal, replica, from)?.value ?? 0;
      return measurements.of(signal, replica).find(({ at, value }) => at > from && value > before) ?? [];
    }),
  );
}

/** Whether each replica lost connections, on average, before it can have given any up. */
function wereMadeBefore(givenUpAt: number, { from, samples }: Churn, replicas: number): boolean {
  const before = samples.findLast(({ at }) => at > from && at < givenUpAt);
  const made = (before?.value ?? 0) - (samples[0]?.value ?? 0);
  return Number.isFinite(givenUpAt) && made >= MADE_EACH * replicas;
}
