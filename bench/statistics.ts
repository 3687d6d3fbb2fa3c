/** The few figures that a benchmark makes of its samples. Pure. */

/**
 * The smallest sample that at least `share` of all samples do not exceed
 * (nearest rank, so always a value that was really measured).
 * @param share above 0, at most 1: 0.5 for the median, 0.99 for p99
 * @throws RangeError without samples, or for a share that is none
 * @example quantile([30, 10, 20], 0.5) // 20
 */
export function quantile(samples: readonly number[], share: number): number {
  if (!(share > 0 && share <= 1)) throw new RangeError(`a share is more than 0 and at most 1, not ${share}`);
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  if (value === undefined) throw new RangeError('there are no samples');
  return value;
}

/** The middle sample: the lower one of two. @throws RangeError without samples */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** @throws RangeError without samples */
export function mean(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('there are no samples');
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

/** From the earliest to the latest of some moments, in their unit. @throws RangeError without moments */
export function spanOf(moments: readonly number[]): number {
  if (moments.length === 0) throw new RangeError('there are no moments');
  return Math.max(...moments) - Math.min(...moments);
}
