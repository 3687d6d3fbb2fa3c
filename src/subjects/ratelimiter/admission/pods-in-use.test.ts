import { describe, expect, it } from 'vitest';
import { PodsInUse, type PodUser } from './pods-in-use.ts';

const userOf = (uid: string, byAddress: boolean, ...pods: string[]): PodUser => ({
  uid,
  namespace: 'shop',
  name: `shop/${uid}`,
  pods,
  byAddress,
  requestsPerSecond: 0,
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
      expect(pods.inTheWayOf(userOf('b', second, 'q', 'r'))).toEqual({ reason: 'PodsInUse', user: 'shop/a' });
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
    expect(pods.inTheWayOf(userOf('b', true, 'p'))).toEqual({ reason: 'PodsInUse', user: 'shop/a' });
  });
});

describe('the traffic of runs', () => {
  const sends = (namespace: string, uid: string, requestsPerSecond: number): PodUser => ({
    ...userOf(uid, false, uid),
    namespace,
    requestsPerSecond,
  });

  it('waits until the runs of its namespace leave room, and of all namespaces', () => {
    const pods = new PodsInUse();
    const first = sends('a', '1', 1000);
    pods.enter(first);
    expect(pods.inTheWayOf(sends('a', '2', 1))).toEqual({ reason: 'TrafficLimit', sent: 1000, most: 1000 });
    const second = sends('b', '3', 800);
    expect(pods.inTheWayOf(second)).toBeUndefined();
    pods.enter(second);
    expect(pods.inTheWayOf(sends('c', '4', 300))).toEqual({ reason: 'TrafficLimit', sent: 1800, most: 2000 });
    expect(pods.inTheWayOf(sends('c', '4', 200))).toBeUndefined();
    pods.leave(first);
    expect(pods.inTheWayOf(sends('a', '2', 1000))).toBeUndefined();
  });
});
