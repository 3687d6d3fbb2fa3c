/** Service: what contenders get in the fault, in one word. Pure. */
import { code, figure, NOTHING } from '../../checkers/checker.ts';
import { type Counts, countsOf, sizeOf } from '../../checkers/requests.ts';
import { LEAST_REQUESTS, SHARE, shareInterval } from '../../checkers/share-interval.ts';
import { type Behaviour, doubleGrantsOf, type LockSeen, lockFold, viewOf } from './holds.ts';

/** Of the share of grants without a fault: with more, contenders get the lock as before, and with less hardly ever. */
const [AS_BEFORE, HARDLY] = [1 / 2, 1 / 10] as const;

/** The share of grants among decisions. */
const granted = ({ Admitted, Rejected }: Counts): number => Admitted / Math.max(1, Admitted + Rejected);

/** @param relative how often a lock that no other had was granted, as a share of that without a fault */
function wordFor(counts: Counts, relative: number): Behaviour {
  const is = (count: number): boolean => count > 0 && count >= SHARE * sizeOf(counts);
  if (is(counts.Timeout)) return 'Hangs';
  if (is(counts.Admitted + counts.Rejected) && relative >= AS_BEFORE) return 'Excludes';
  return is(counts.Rejected + counts.Error) && relative <= HARDLY ? 'Denies' : 'Mixed';
}

export const service = {
  ...lockFold,
  name: 'service',
  finding(seen: LockSeen) {
    const view = viewOf(seen);
    if (!view) return NOTHING;
    const { calm, during, free } = view;
    const counts = countsOf(during);
    const [of, have] = [sizeOf(counts), sizeOf(free)];
    const relative = granted(calm) > 0 ? granted(free) / granted(calm) : 0;
    const isDouble = doubleGrantsOf(seen).length > 0;
    const behaviour = isDouble ? 'DoubleGrants' : wordFor(counts, relative);
    const isBroken = !isDouble && !seen.setup.accept.includes(behaviour);
    // The measured share is so close to the border that chance decides whether there is one word.
    const isNear = [counts.Timeout, counts.Error].some((count) => {
      const shares = [shareInterval(count, of), shareInterval(of - count, of)];
      return count > 0 && count < of && shares.some(({ from, to }) => from < SHARE && to > SHARE);
    });
    return {
      isBroken,
      ...(isBroken && { brokenAt: seen.times.startedAt }),
      summary: code('Behaviour', { behaviour }),
      measures: [figure('granted', counts.Admitted), figure('acquires', of)],
      unproven: [
        !isDouble && have < LEAST_REQUESTS && code('TooFewAcquires', { have, need: LEAST_REQUESTS }),
        !isDouble && calm.Admitted + calm.Rejected < LEAST_REQUESTS && code('TooFewBefore'),
      ],
      missing: [isNear && !isDouble && code('NearBorder', { counts })],
      evidence: [code('Got', { behaviour, counts, relative })],
      byPod: seen.setup.pods.map((pod) => {
        return code('PodGot', { pod, counts: countsOf(during.filter((one) => one.pod === pod)) });
      }),
    };
  },
};
