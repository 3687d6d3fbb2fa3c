import { describe, expect, it } from 'vitest';
import { PodsInUse, type PodUser } from './pods-in-use.ts';

const asking = (uid: string, byAddress: boolean, ...pods: string[]): PodUser => ({
  uid,
  name: `shop/${uid}`,
  pods,
  byAddress,
});

describe('pods of a limiter that knows the source address alone', () => {
  it('are asked by one run at a time, whichever of two came first', () => {
    for (const [first, second] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const pods = new PodsInUse();
      const a = asking('a', first, 'p', 'q');
      pods.enter(a);
      expect(pods.inTheWayOf(asking('b', second, 'q', 'r'))).toBe('shop/a');
      expect(pods.inTheWayOf(asking('b', second, 'r'))).toBeUndefined();
      pods.leave(a);
      expect(pods.inTheWayOf(asking('b', second, 'q', 'r'))).toBeUndefined();
    }
  });

  it('pods in use by a new run of an object are not released by its earlier run', () => {
    const pods = new PodsInUse();
    const [before, after] = [asking('a', true, 'p'), asking('a', true, 'p')];
    pods.enter(before);
    pods.enter(after);
    pods.leave(before);
    expect(pods.inTheWayOf(asking('b', true, 'p'))).toBe('shop/a');
  });

  it('are no matter between runs with keys of their own, nor of a run with itself', () => {
    const pods = new PodsInUse();
    pods.enter(asking('a', false, 'p'));
    expect(pods.inTheWayOf(asking('b', false, 'p'))).toBeUndefined();
    expect(pods.inTheWayOf(asking('a', true, 'p'))).toBeUndefined();
  });
});
