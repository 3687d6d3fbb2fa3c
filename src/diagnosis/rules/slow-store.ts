/** Distinguishes a store that answers everything late, or every write, from a prober that is slow. Pure. */
import { type Interval, type Measurements, quantile, type Sample, sustainedAbove } from './measurements.ts';

/** Slow: this many times the usual, for this long. Milliseconds. */
const SLOW_FACTOR = 5;
const SLOW_MS = 40;
/** A slow store is slow for nearly every probe; a machine under load answers some of them at once. */
const SLOW_SHARE = 0.9;
const MIN_PROBES = 8;
const SLOW_FOR_MS = 1500;
/**
 * If a constant delay is added to each probe, the fastest tenth of late probes takes at least this share of the median.
 */
const STEADY = 0.7;
/** If this share of the replicas' answers is quick, the prober is not the slow part. */
const REPLICAS_QUICK = 0.75;
/** Probes before and after the slow ones, and the share of them that was quick, for a store that became slow. */
const MIN_OTHERS = 2;
const OTHERS_QUICK = 0.75;

/** Reads that show that the prober was quick while writes were late. */
const MIN_READS = 4;
/** Reads that take less than this part of a late write are quick. */
const READS_QUICK = 0.25;

export interface Slow extends Interval {
  readonly usual: number;
  readonly writes: readonly Sample[];
}

export interface SlowWrites extends Interval {
  readonly usual: number;
  readonly reads: readonly Sample[];
}

/** An interval in which reads took far longer than usual, and writes as well. */
export function slowStore(measurements: Measurements, store: string): Slow | undefined {
  const reads = measurements.of('read-latency', store);
  const usual = usualOf(reads);
  const slowInterval = sustainedAbove(reads, thresholdOf(usual), SLOW_FOR_MS, SLOW_SHARE);
  if (!slowInterval || slowInterval.samples.length < MIN_PROBES) return undefined;
  const writes = [
    ...measurements.of('write-latency', store),
    ...measurements.of('write-outstanding', store),
  ].filter(({ at, value }) => at >= slowInterval.from && at - value <= slowInterval.to && value > SLOW_MS);
  if (writes.length === 0) return undefined;
  if (areReplicasAsSlow(measurements, slowInterval) && !hasBecomeSlow(reads, slowInterval, usual))
    return undefined;
  return { ...slowInterval, usual, writes };
}

/** An interval in which nearly every write took far longer than usual, and reads did not: stalls without a gap. */
export function slowWrites(measurements: Measurements, store: string): SlowWrites | undefined {
  const writes = measurements.of('write-latency', store);
  const usual = usualOf(writes);
  const slowInterval = sustainedAbove(writes, thresholdOf(usual), SLOW_FOR_MS, SLOW_SHARE);
  if (!slowInterval || slowInterval.samples.length < MIN_PROBES) return undefined;
  const { from, samples, to } = slowInterval;
  const reads = measurements
    .of('read-latency', store)
    .filter(({ at, value }) => at - value >= from && at <= to);
  // A prober that is short of processor time has late reads, too.
  const areQuick = quantile(reads, 0.9) <= READS_QUICK * quantile(samples, 0.5);
  return reads.length >= MIN_READS && areQuick ? { ...slowInterval, usual, reads } : undefined;
}

/** Whether replicas answered as late, then or all along: then the prober may be slow, and not the store. */
function areReplicasAsSlow(measurements: Measurements, { from, samples, to }: Interval): boolean {
  const answers = measurements.replicas.flatMap((replica) => measurements.of('request-latency', replica));
  const then = answers.filter(({ at }) => at >= from && at <= to);
  const late = quantile(samples, 0.5) / 4;
  return then.length === 0 || [then, answers].some((some) => quantile(some, REPLICAS_QUICK) >= late);
}

/**
 * Whether probes were quick and then became late by about the same amount each. A delay in the network or the store
 * adds to every probe; a prober short of processor time is late now and then, all along, and by any time.
 */
function hasBecomeSlow(reads: readonly Sample[], { from, samples, to }: Interval, usual: number): boolean {
  if (usual === 0) return false;
  const others = reads.filter(({ at }) => at < from || at > to);
  if (others.length < MIN_OTHERS || quantile(others, OTHERS_QUICK) > thresholdOf(usual)) return false;
  const late = samples.filter(({ value }) => value > SLOW_MS);
  return quantile(late, 0.1) >= STEADY * quantile(samples, 0.5);
}

function thresholdOf(usual: number): number {
  return Math.max(SLOW_MS, SLOW_FACTOR * usual);
}

/**
 * The usual value of something that may be slow most of the time: that of the fastest tenth. If it was slow from the
 * first probe on, the usual value is unknown, and 0 is returned.
 */
function usualOf(samples: readonly Sample[]): number {
  const fast = quantile(samples, 0.1);
  return Number.isNaN(fast) || fast > 2 * SLOW_MS ? 0 : fast;
}
