/** The price of a fault: what clients took of Redis in it, compared with the time before. Reported only. Pure. */
import { code, NOTHING } from './checker.ts';
import type { Seen, Usage } from './seen.ts';

/** A client may open its connections again after the end of a fault; milliseconds. */
const AFTER_MS = 1000;
/** From this many times the connections before the fault on, their growth is named. */
const GROWTH = 3;

/** Nothing without a look at Redis before and in the fault. */
function priceIn({ times, usage }: Seen) {
  const { endedAt = Number.POSITIVE_INFINITY, startedAt = Number.POSITIVE_INFINITY } = times;
  const before = usage.filter(({ at }) => at < startedAt);
  const during = usage.filter(({ at }) => at >= startedAt && at < endedAt + AFTER_MS);
  const last = during.at(-1);
  if (before.length === 0 || !last) return NOTHING;
  const most = (some: readonly Usage[], of: 'bytes' | 'open'): number =>
    some.reduce((max, one) => Math.max(max, one[of]), 0);
  const open = { before: most(before, 'open'), during: most(during, 'open') };
  const half = most(during.slice(0, during.length / 2), 'open');
  // More in each half of the fault, so that nothing shows where it would have ended.
  const grows = open.during >= GROWTH * open.before && half > open.before && open.during > half;
  return {
    evidence: [
      code('Price', { open, bytes: { before: most(before, 'bytes'), during: most(during, 'bytes') } }),
      grows && code('ConnectionsGrow'),
    ],
  };
}

export const price = { name: 'price', finding: priceIn };
