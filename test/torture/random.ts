/** Random numbers that a seed decides: the same seed gives the same numbers, on every machine. */

export interface Random {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of these. @throws RangeError where there is none */
  pick<T>(items: readonly T[]): T;
  /** True this often, from 0 to 1. */
  chance(share: number): boolean;
}

/** Mulberry32: 32 bits of state, which is plenty for a plan of some twenty steps. */
export function randomBy(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    between,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError('there is nothing to pick from');
      return items[between(0, items.length - 1)] as T;
    },
    chance: (share) => next() < share,
  };
}
