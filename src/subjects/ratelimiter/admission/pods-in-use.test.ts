import { describe, expect, it } from 'vitest';
import { PodsInUse, type PodUser } from './pods-in-use.ts';

const userOf = (uid: string, byAddress: boolean, ...pods: string[]): PodUser => ({
  uid,
  name: `shop/${uid}`,
  pods,
  byAddress,
});

describe('pods of a limiter by source address', () => {
  it('get requests of one run at a time, whichever of two began first', () => {
    for (const [first, second] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const pods = new PodsInUse();
      const a = userOf('a', first, 'p', 'q');
      pods.enter(a);
      expect(pods.inTheWayOf(userOf('b', second, 'q', 'r'))).toBe('shop/a');
      expect(pods.inTheWayOf(userOf('b', second, 'r'))).toBeUndefined();
      pods.leave(a);
      expect(pods.inTheWayOf(userOf('b', second, 'q', 'r'))).toBeUndefined();
    }
  });

  it('pods in use by a new run of an object are not released by its earlier run', () => {
    const pods = new PodsInUse();
    const [before, after] = [userOf('a', true, 'p'), userOf('a', true, 'p')];
    pods.enter(before);
    pods.enter(after);
    pods.leave(before);
    expect(pods.inTheWayOf(userOf('b', true, 'p'))).toBe('shop/a');
  });

  it('do not conflict between runs with different keys, nor of a run with itself', () => {
    const pods = new PodsInUse();
    pods.enter(userOf('a', false, 'p'));
    expect(pods.inTheWayOf(userOf('b', false, 'p'))).toBeUndefined();
    expect(pods.inTheWayOf(userOf('a', true, 'p'))).toBeUndefined();
  });
});
