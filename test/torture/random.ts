/** Random numbers that a seed decides: the same seed gives the same numbers, on every machine. */
import { randomOf } from '../../src/subjects/scenarios/seed.ts';

export interface Random {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** One of these. @throws RangeError where there is none */
  pick<T>(items: readonly T[]): T;
  /** True this often, from 0 to 1. */
  chance(share: number): boolean;
}

export function randomBy(seed: number): Random {
  const next = randomOf(seed);
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
