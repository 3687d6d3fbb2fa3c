/** The same bundle with all its times relative to its first observation. Pure. */
import type { EvidenceBundle } from './bundle.ts';

/** The time of the first observation; undefined: there is none. */
export function firstObservationMs({ events, series }: EvidenceBundle): number | undefined {
  const first = [
    ...series.flatMap(({ points }) => points.map(([at]) => at)),
    ...events.map(({ atMs }) => atMs),
  ]
    // A bundle may have more points than a call can have arguments.
    .reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  return Number.isFinite(first) ? first : undefined;
}

/**
 * The same evidence with times that count from the first observation. Providers get this: times that count from a fault
 * would reveal when that was, and that there was one. Ids and values stay as they are.
 */
export function relativeToFirst(bundle: EvidenceBundle): EvidenceBundle {
  const { events, invariant, series } = bundle;
  const first = firstObservationMs(bundle) ?? 0;
  const brokenAtMs = invariant?.brokenAtMs;
  return {
    ...bundle,
    series: series.map((one) => ({ ...one, points: one.points.map(([at, value]) => [at - first, value]) })),
    events: events.map((event) => ({ ...event, atMs: event.atMs - first })),
    ...(invariant && {
      invariant: { ...invariant, ...(brokenAtMs !== undefined && { brokenAtMs: brokenAtMs - first }) },
    }),
  };
}
