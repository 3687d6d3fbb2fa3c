/** Signs of a fault of the store that the replicas share, or of all connections to it. Pure. */
import {
  ARRIVES_MS,
  during,
  type Interval,
  largest,
  longest,
  type Measurements,
  quantile,
  type Sample,
  sustainedAbove,
} from './measurements.ts';

/** Shorter delays are no failure: a machine under load delays a probe by as much. Milliseconds. */
const LEAST_STALL_MS = 700;
/** A read answered this late shows a silence, if replicas answered during it in so many parts of it. */
const LATE_MS = 1500;
const LEAST_REPLIES = 4;
const PART_MS = 250;

/** Slow: this many times the usual, and longer than this, for so long. Milliseconds. */
const SLOW_FACTOR = 5;
const SLOW_MS = 40;
const SLOW_FOR_MS = 1500;
const LEAST_PROBES = 8;
/** What is slow is slow for nearly every probe; a machine under load answers some of them at once. */
const SLOW_SHARE = 0.9;
/** A constant delay adds the same to each probe: the fastest tenth takes at least this share of the median. */
const STEADY = 0.7;
const STEADY_REPLICAS = 0.5;
/** Less than this share of what is slow is quick. */
const QUICK = 0.25;
const QUICK_SHARE = 0.75;

/** What all replicas do at once lasts this long, and begins within this time: each is sent requests at other moments. */
const LEAST_MS = 900;
const TOGETHER_MS = 1000;

/** New connections a second: this many for each replica, and this many times the usual. */
const MADE_EACH = 2;
const MADE_FACTOR = 3;
/** A replica that waits for the store until a timeout answers later than this. Milliseconds. */
const AT_ONCE_MS = 100;

/** Fewer requests of a replica show nothing. */
const LEAST_REQUESTS = 3;
/** Of what it was sent, a replica that has stopped using the store rejects less than this share. */
const MOST_REJECTED = 0.2;
/** A store that takes longer may be the cause itself. Milliseconds. */
const STORE_QUICK_MS = 200;

const TIMEOUTS = ['requests-timeouts', 'others-timeouts'] as const;
const FAILED = ['requests-errors', 'others-errors', ...TIMEOUTS] as const;

/** The longest interval in which the store answered nothing. */
export function silence(measurements: Measurements) {
  const { store } = measurements;
  const answered = measurements.all(['read-latency', 'write-latency'], [store]);
  const noticed = measurements.of('unreachable', store).filter(({ value }) => value >= LEAST_STALL_MS);
  const late = measurements
    .of('read-latency', store)
    .filter(
      ({ at, value }) => value >= LATE_MS && repliesWithin(measurements, at - value, at) >= LEAST_REPLIES,
    );
  return longest(
    [...noticed, ...late]
      .map((sample) => ({ from: sample.at - sample.value, to: sample.at, samples: [sample] }))
      // A probe sent and answered within the interval shows that it was not silent.
      .filter(({ from, to }) => during(answered, from + 2, to - 2).length === 0),
  );
}

/** In how many parts of an interval replicas answered: if none, the prober may have stalled. */
function repliesWithin(measurements: Measurements, from: number, to: number): number {
  const replies = measurements.all(['request-latency', 'count-local'], measurements.replicas);
  const within = replies.filter(({ at }) => at > from && at < to);
  return new Set(within.map(({ at }) => Math.floor(at / PART_MS))).size;
}

/** Counts that the store no longer holds, while the replicas still have them. */
export function lostCounts(measurements: Measurements) {
  const { endMs, lag, replicas, store } = measurements;
  const quiet = silence(measurements);
  const stored = [...measurements.of('count-stored', store)];
  const counts = measurements.all(['count-local'], replicas);
  const answered = quiet && measurements.of('read-latency', store).find(({ at }) => at > quiet.to);
  // A count that is not there has no sample.
  if (answered && counts.some(({ at }) => at > quiet.to) && !stored.some(({ at }) => at > quiet.to))
    stored.push({ ...answered, value: 0 });
  const last = stored.at(-1);
  const counted = measurements.total('count-local', (last?.at ?? 0) - ARRIVES_MS).value;
  const isSettled = last && measurements.total('count-local', last.at).value === counted;
  // What replicas had counted long before was in the store, even if it was not seen there.
  if (quiet && isSettled && last.at >= quiet.to + ARRIVES_MS)
    stored.splice(-1, 0, { ...last, value: counted });
  const i = stored.findIndex(({ value }, at) => (stored[at - 1]?.value ?? 0) - value > Math.max(1, lag));
  const [before, after] = [stored[i - 1], stored[i]];
  if (!before || !after) return undefined;
  // The end of a window also resets the counts of the replicas.
  const isReset = (replica: string): boolean => {
    const is = measurements.of('count-local', replica).find(({ at }) => at >= before.at)?.value ?? Infinity;
    return is < (measurements.last('count-local', replica, before.at)?.value ?? 0);
  };
  const counting = replicas.filter(
    (replica) => measurements.grown(['count-local'], replica, -Infinity, before.at) > 0,
  );
  if (counting.length > 0 && counting.every(isReset)) return undefined;
  const from = Math.min(quiet?.from ?? Infinity, before.at);
  return { from, to: endMs, quiet, before, after, samples: [before, after], confidence: 0.85 };
}

/** The longest interval in which a write was not accepted. */
export function stall(measurements: Measurements) {
  const { store } = measurements;
  const accepted = measurements.of('write-latency', store);
  const probes = [...measurements.of('write-outstanding', store), ...accepted];
  const write = longest(
    probes.flatMap(({ at, value }) => {
      const from = at - value;
      const before = accepted.filter((other) => other.at <= from && other.value < LEAST_STALL_MS);
      const isStalled = value >= Math.max(LEAST_STALL_MS, SLOW_FACTOR * (largest(before)?.value ?? 0));
      return isStalled ? [{ from, to: at, usual: quantile(before, 0.5) }] : [];
    }),
  );
  if (!write) return undefined;
  const { from, usual } = write;
  const release = accepted.find(({ at }) => at >= write.to);
  const to = release?.at ?? write.to;
  const reads = during(measurements.of('read-latency', store), from, to);
  if (reads.length === 0 && repliesWithin(measurements, from, to) < LEAST_REPLIES) return undefined;
  const samples = probes.filter(({ at, value }) => Math.abs(at - value - from) < 50);
  if (release) samples.push(release);
  const confidence = reads.length > 0 ? 0.95 : 0.6;
  return { from, to, took: to - from, usual, reads, samples, confidence };
}

/** An interval in which reads took far longer than usual, and writes as well. */
export function slowStore(measurements: Measurements) {
  const { store } = measurements;
  const reads = measurements.of('read-latency', store);
  const slow = slowProbes(reads);
  if (!slow) return undefined;
  const writes = measurements
    .all(['write-latency', 'write-outstanding'], [store])
    .filter(({ at, value }) => at >= slow.from && at - value <= slow.to && value > SLOW_MS);
  const [read, write] = [largest(slow.samples), largest(writes)];
  // Writes that take far longer than slow reads have stalled.
  if (!read || !write || write.value > Math.max(LEAST_STALL_MS, SLOW_FACTOR * read.value)) return undefined;
  const isProberSlow = areReplicasAsSlow(measurements, slow) && !hasBecomeSlow(reads, slow);
  return isProberSlow ? undefined : { ...slow, write, confidence: 0.8 };
}

type SlowProbes = Interval & { readonly usual: number };

/** The longest interval in which nearly every probe took far longer than usual. */
function slowProbes(samples: readonly Sample[]): SlowProbes | undefined {
  const fast = quantile(samples, 0.1);
  // Slow from the first probe on: the usual value is unknown.
  const usual = fast <= 2 * SLOW_MS ? fast : 0;
  const slow = sustainedAbove(samples, thresholdOf(usual), SLOW_FOR_MS, SLOW_SHARE);
  return slow && slow.samples.length >= LEAST_PROBES ? { ...slow, usual } : undefined;
}

function thresholdOf(usual: number): number {
  return Math.max(SLOW_MS, SLOW_FACTOR * usual);
}

/** Whether replicas answered as late, then or all along: then the prober may be slow, and not the store. */
function areReplicasAsSlow(measurements: Measurements, { from, samples, to }: Interval): boolean {
  const answers = measurements.all(['request-latency'], measurements.replicas);
  const then = answers.filter(({ at }) => at >= from && at <= to);
  const late = QUICK * quantile(samples, 0.5);
  return then.length === 0 || [then, answers].some((some) => quantile(some, QUICK_SHARE) >= late);
}

/**
 * Whether probes were quick and then became late by about the same amount each. A delay in the network or the store
 * adds to every probe; a prober short of processor time is late now and then, all along, and by any time.
 */
function hasBecomeSlow(reads: readonly Sample[], { from, samples, to, usual }: SlowProbes): boolean {
  const others = reads.filter(({ at }) => at < from || at > to);
  const wereQuick = usual > 0 && others.length > 1 && quantile(others, QUICK_SHARE) <= thresholdOf(usual);
  const late = samples.filter(({ value }) => value > SLOW_MS);
  return wereQuick && quantile(late, 0.1) >= STEADY * quantile(samples, 0.5);
}

/**
 * An interval in which the store accepted new connections all the time, and others ended, if that was counted: a client
 * may also open more of them, since the others wait. A replica also makes a new one if it has given up the old one for
 * lateness, and answers late then. So this is a sign only if the replicas answered at once, or if connections ended
 * before the first late answer or timeout.
 */
export function churn(measurements: Measurements) {
  const { replicas, store } = measurements;
  const least = MADE_EACH * replicas.length;
  const isCounted = measurements.last('connections-ended', store) !== undefined;
  const totals = measurements.of('connections-made', store);
  // The rate is that between the samples before and after: a moment without any is no gap.
  const rates = totals.map((sample, i): Sample => {
    const [before, after] = [totals[i - 1] ?? sample, totals[i + 1] ?? sample];
    return { ...sample, value: (1000 * (after.value - before.value)) / Math.max(1, after.at - before.at) };
  });
  const usual = quantile(rates, 0.1);
  const many = sustainedAbove(rates, Math.max(least, MADE_FACTOR * usual), LEAST_MS, 1);
  if (!many) return undefined;
  const { from, to } = many;
  const signal = isCounted ? 'connections-ended' : 'connections-made';
  const samples = during(measurements.of(signal, store), from, to);
  const ended = (until: number): number => measurements.grown([signal], store, from, until);
  const answers = during(measurements.all(['request-latency'], replicas), from, to);
  const areQuick = answers.length >= LEAST_PROBES && quantile(answers, 0.5) <= AT_ONCE_MS;
  const late = answers.filter(({ value }) => value > AT_ONCE_MS);
  const timeouts = replicas.flatMap((replica) =>
    TIMEOUTS.flatMap((signal) => {
      // Replicas that gave up right before may have given connections up, too.
      const since = from - LEAST_MS;
      const before = measurements.last(signal, replica, since)?.value ?? 0;
      return measurements.of(signal, replica).find(({ at, value }) => at > since && value > before) ?? [];
    }),
  );
  // A replica that gives up does so after a fixed time: no sooner than the quickest of its late answers came.
  const givenUpAt = Math.min(...timeouts.map(({ at }) => at), ...late.map(({ value }) => from + value));
  const until = areQuick ? to : givenUpAt - 1;
  // Without a count of those that ended, new ones of quick replicas are enough.
  const isShown = (areQuick && !isCounted) || (until < Infinity && ended(until) >= least);
  if (!isShown) return undefined;
  const notGivenUp = areQuick ? answers : [...samples, ...timeouts, ...late];
  const confidence = areQuick ? 0.85 : 0.7;
  return { ...many, samples, isCounted, usual, ended: ended(to), notGivenUp, confidence };
}

/**
 * Every replica rejected requests before, and then, from about the same moment, only failed or admitted them, more than
 * the limit, while the store served others.
 */
export function unusedStore(measurements: Measurements) {
  const { limit, replicas } = measurements;
  const gaps = replicas.map((replica) => withoutRejections(measurements, replica));
  const gap = common(measurements, gaps, STORE_QUICK_MS);
  if (!gap || measurements.all(['unreachable'], replicas).some(({ at }) => at > gap.from)) return undefined;
  const { from, to } = gap;
  for (const signals of [FAILED, ['requests-admitted'] as const]) {
    const each = replicas.map((replica) => measurements.grown(signals, replica, from, to));
    const all = each.reduce((sum, count) => sum + count, 0);
    const fails = signals === FAILED;
    if (each.every((count) => count >= LEAST_REQUESTS) && (fails || (limit && all > limit.value))) {
      const shown = replicas.flatMap((replica) => signals.map((s) => measurements.last(s, replica, to)));
      return { ...gap, fails, all, shown, confidence: 0.7 };
    }
  }
  return undefined;
}

/** The longest interval after a rejection in which the replica rejected next to nothing of what it was sent. */
function withoutRejections(measurements: Measurements, replica: string): Interval | undefined {
  const rejected = measurements.of('requests-rejected', replica);
  return longest(
    rejected.flatMap((last, i) => {
      const next = rejected[i + 1];
      const to = next?.at ?? measurements.endMs;
      const sent = measurements.grown(['requests-sent'], replica, last.at, to);
      // A series that was thinned out has fewer samples than rejections.
      const isFew = (next?.value ?? last.value) - last.value - 1 <= MOST_REJECTED * sent;
      return sent >= LEAST_REQUESTS && isFew ? [{ from: last.at, to, samples: [last] }] : [];
    }),
  );
}

/** Every replica answered slowly for the same time, by about as much, while the store served others at once. */
export function slowConnections(measurements: Measurements) {
  const intervals = measurements.replicas.map((replica) => {
    const answers = measurements.of('request-latency', replica);
    const slow = sustainedAbove(answers, thresholdOf(quantile(answers, 0.1)), LEAST_MS, SLOW_SHARE);
    const { samples } = slow ?? { samples: [] };
    return quantile(samples, 0.1) >= STEADY_REPLICAS * quantile(samples, 0.5) ? slow : undefined;
  });
  const medians = intervals.map((interval) => quantile(interval?.samples ?? [], 0.5));
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  const slow = common(measurements, intervals, QUICK * least);
  return slow && least >= STEADY_REPLICAS * most ? { ...slow, least, most, confidence: 0.65 } : undefined;
}

/** The time that these intervals of the replicas share, if they begin at once, and the store is quick for others. */
function common(measurements: Measurements, intervals: readonly (Interval | undefined)[], quickMs: number) {
  const known = intervals.filter((interval) => interval !== undefined);
  const begins = known.map((interval) => interval.from);
  const [from, to] = [Math.max(...begins), Math.min(...known.map((interval) => interval.to))];
  const isAtOnce = known.length === intervals.length && from - Math.min(...begins) <= TOGETHER_MS;
  if (!isAtOnce || known.length === 0 || to - from < LEAST_MS) return undefined;
  const served = measurements.servedWithin(from, to);
  const isQuick = (largest(served)?.value ?? Infinity) <= quickMs;
  return isQuick ? { from, to, served, samples: known.flatMap(({ samples }) => samples) } : undefined;
}

/**
 * All replicas together admitted exactly the limit of a caller, and later exactly as much again, in which two of them
 * had a part. Replicas that count separately, or have no count, would admit another number.
 */
export function grantedAgain(measurements: Measurements) {
  const { endMs, invariant, limit, replicas } = measurements;
  if (!limit || invariant?.broken !== true) return undefined;
  const exceeded = (['newcomer-admitted', 'requests-admitted'] as const)
    .map((signal) => ({ signal, running: measurements.running(signal) }))
    .filter(({ running }) => (running.at(-1)?.value ?? 0) > limit.value);
  // If only one caller got its limit twice, the count of another one was still there.
  const twice = exceeded.map(({ running, signal }) => {
    const begin = running.findIndex(({ value }) => value > limit.value);
    const [before, after, last] = [running[begin - 1], running[begin], running.at(-1)];
    if (before?.value !== limit.value || last?.value !== 2 * limit.value || !after) return undefined;
    const parts = replicas.filter((replica) => measurements.grown([signal], replica, before.at) > 0);
    const pauses = [after.at - before.at, endMs - last.at];
    if (parts.length < 2 || pauses.some((ms) => ms < LEAST_MS)) return undefined;
    const samples = [...measurements.total(signal).samples, limit];
    return { from: after.at, to: last.at, pause: after.at - before.at, limit: limit.value, samples };
  });
  const [first] = twice;
  const served = first && measurements.servedWithin(first.from - first.pause, first.to);
  const isShared = served && served.length > 0 && twice.every((one) => one !== undefined);
  return isShared ? { ...first, served, confidence: 0.7 } : undefined;
}
