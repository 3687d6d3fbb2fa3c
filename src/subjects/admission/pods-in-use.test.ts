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
      expect(() => pods.requireFree(userOf('b', second, 'q', 'r'))).toThrow(/^shop\/a sends/);
      pods.requireFree(userOf('b', second, 'r'));
      pods.leave(a);
      pods.requireFree(userOf('b', second, 'q', 'r'));
    }
  });

  it('pods in use by a new run of an object are not released by its earlier run', () => {
    const pods = new PodsInUse();
    const [before, after] = [userOf('a', true, 'p'), userOf('a', true, 'p')];
    pods.enter(before);
    pods.enter(after);
    pods.leave(before);
    expect(() => pods.requireFree(userOf('b', true, 'p'))).toThrow(/^shop\/a sends/);
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
    expect(() => pods.requireFree(sends('a', '2', 1))).toThrow(
      / send 1000, .* 1000 at a time for one namespace/,
    );
    const second = sends('b', '3', 800);
    pods.requireFree(second);
    pods.enter(second);
    expect(() => pods.requireFree(sends('c', '4', 300))).toThrow(
      / send 1800, .* 2000 at a time in one thread;/,
    );
    pods.requireFree(sends('c', '4', 200));
    pods.leave(first);
    pods.requireFree(sends('a', '2', 1000));
  });
});
