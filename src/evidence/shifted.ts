/** The same bundle with all its times relative to another origin. Pure. */
import type { EvidenceBundle } from './bundle.ts';

/** The same evidence with every time shifted later by `byMs` milliseconds. Ids and values stay as they are. */
export function shifted(bundle: EvidenceBundle, byMs: number): EvidenceBundle {
  if (byMs === 0) return bundle;
  const { events, invariant, series } = bundle;
  const later = (at: number): number => at + byMs;
  return {
    ...bundle,
    series: series.map((one) => ({ ...one, points: one.points.map(([at, value]) => [later(at), value]) })),
    events: events.map((event) => ({ ...event, atMs: later(event.atMs) })),
    ...(invariant && {
      invariant: {
        ...invariant,
        ...(invariant.brokenAtMs !== undefined && { brokenAtMs: later(invariant.brokenAtMs) }),
      },
    }),
  };
}

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
 * would reveal when that was, and that there was one.
 */
export function relativeToFirst(bundle: EvidenceBundle): EvidenceBundle {
  return shifted(bundle, -(firstObservationMs(bundle) ?? 0));
}
