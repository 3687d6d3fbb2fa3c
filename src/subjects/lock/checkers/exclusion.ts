/** Exclusion: never more than its slots of a key are held for certain at once; and how much that excludes. Pure. */
import { code, figure } from '../../checkers/checker.ts';
import { LEAST_REQUESTS } from '../../checkers/share-interval.ts';
import { contendedOf, doubleGrantsOf, type LockSeen, lockFold } from './holds.ts';

export const exclusion = {
  ...lockFold,
  name: 'exclusion',
  finding(seen: LockSeen) {
    const { accept, slots } = seen.setup;
    const { endedAt = Number.POSITIVE_INFINITY, startedAt } = seen.times;
    const [doubles, contended] = [doubleGrantsOf(seen), contendedOf(seen)];
    const [first] = doubles;
    const held = Math.max(0, ...doubles.map(({ open }) => open.length));
    const before = doubles.filter(({ hold }) => hold.from < (startedAt ?? endedAt)).length;
    const inFault = contended.filter(({ sentAt }) => sentAt >= (startedAt ?? endedAt) && sentAt < endedAt);
    const [grants, have] = [doubles.length, contended.length];
    const isAccepted = accept.includes('DoubleGrants');
    const isShort = !first && !isAccepted && have < LEAST_REQUESTS;
    return {
      isBroken: first !== undefined && !isAccepted,
      brokenAt: first?.hold.from,
      measures: [
        { name: 'doubleGrants', value: grants, unit: 'grants', bound: 0 },
        figure('contended', have),
      ],
      ...(first && { summary: code('TooManyHeld', { held, slots }) }),
      missing: [isShort && code('TooFewContended', { have, need: LEAST_REQUESTS })],
      evidence: [
        first
          ? code('DoubleGranted', { first, grants, held, slots, before, startedAt })
          : code('NotDoubleGranted', { contended: have, inFault: inFault.length, slots }),
        code('DrawnFrom', { seed: seen.setup.seed }),
      ],
    };
  },
};
