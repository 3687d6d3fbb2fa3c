/** How far a measured share may be from the true one. Pure. */

/** The share of requests that must have the same outcome for it to be the result. */
export const SHARE = 0.9;

/** Requests with an outcome of their own that a result needs, of each pod or in all. */
export const LEAST_REQUESTS = 5;

/** The quantile of the normal distribution for 95 % confidence, two-sided. */
const Z = 1.96;

/**
 * The 95 % confidence interval of a share, of which `count` of `of` were observed: that of Wilson (1927), which is also
 * right for few observations and near 0 and 1. From 0 to 1 if there are none.
 */
export function shareInterval(count: number, of: number) {
  if (of === 0) return { from: 0, to: 1 };
  const share = count / of;
  const spread = Z * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  const middle = share + (Z * Z) / (2 * of);
  const scale = 1 + (Z * Z) / of;
  return { from: Math.max(0, (middle - spread) / scale), to: Math.min(1, (middle + spread) / scale) };
}
