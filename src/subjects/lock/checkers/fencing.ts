/** Fencing: of two grants of a key, the one that was asked for after the answer to the other has the larger token. Pure. */
import { code, NOTHING } from '../../checkers/checker.ts';
import { type Hold, holdsOf, type LockSeen, lockFold } from './holds.ts';

type Fenced = Hold & { readonly fence: number };

const isFenced = (hold: Hold): hold is Fenced => hold.fence !== undefined;

/** Grants whose token is not larger than that of a grant that was answered before they were asked for. */
function shrinkingIn(holds: readonly Hold[]): Fenced[] {
  const fenced = holds.filter(isFenced);
  return fenced.filter((one) => fenced.some(({ fence, from }) => from < one.sentAt && fence >= one.fence));
}

export const fencing = {
  ...lockFold,
  name: 'fencing',
  finding(seen: LockSeen) {
    if (!seen.setup.isFenced) return NOTHING;
    const all = [...holdsOf(seen).values()];
    const shrinking = all.flatMap(shrinkingIn).toSorted((a, b) => a.from - b.from);
    const without = all.flat().filter((hold) => !isFenced(hold)).length;
    const [first] = shrinking;
    return {
      isBroken: first !== undefined,
      brokenAt: first?.from,
      measures: [{ name: 'staleTokens', value: shrinking.length, unit: 'grants', bound: 0 }],
      ...(first && { summary: code('TokenShrank') }),
      missing: [without > 0 && code('TokensMissing', { grants: without })],
      evidence: [
        first
          ? code('TokensShrank', { grants: shrinking.length, key: first.key, fence: first.fence })
          : code('TokensGrew', { grants: all.flat().length }),
      ],
    };
  },
};
