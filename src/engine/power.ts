/**
 * What trials without a violation exclude. A violation that shows in a share p of all trials escapes n of them with
 * probability (1 - p)^n, so 1 - 0.05^(1/n) is the exact upper bound of p at 95 % confidence; it holds for few trials
 * too, unlike the "rule of three", 3/n. Pure.
 */

/** Probability, in percent, with which a violation in a larger share of trials would have shown. */
export const CONFIDENCE = 95;

/** Integer percent of trials, rounded up: a violation rate above it is excluded by `trials` without a violation. */
export function excludedAbove(trials: number): number {
  // Ignore the floating point error above an integer.
  return Math.ceil(100 * (1 - (1 - CONFIDENCE / 100) ** (1 / trials)) - 1e-9);
}
