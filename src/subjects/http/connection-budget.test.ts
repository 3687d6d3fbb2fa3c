import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONNECTION_BYTES, ConnectionBudget, type ConnectionLease } from './connection-budget.ts';

const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const shop = (most: number) => {
  const budget = new ConnectionBudget(most);
  return { budget, share: budget.onBehalfOf('shop') };
};

it('a connection budget counts partial answers as connections by their memory', async () => {
  const { budget, share } = shop(10);
  const lease = await share.acquire(8, signal);
  expect(share.take(CONNECTION_BYTES + 1)).toBe(true);
  expect([share.take(CONNECTION_BYTES), share.tryAcquire(1)]).toEqual([false, undefined]);
  share.give(CONNECTION_BYTES + 1);
  lease.release();
  expect(budget.free).toBe(10);
});

describe('a budget of connections for several namespaces', () => {
  it('gives none more than its part, and all together no more than there is', () => {
    const budget = new ConnectionBudget(200, 100);
    const granted = ['a', 'b', 'c'].map((name) => budget.onBehalfOf(name).tryAcquire(100) !== undefined);
    expect(granted).toEqual([true, true, false]);
    const other = new ConnectionBudget(200, 100).onBehalfOf('a');
    expect([other.tryAcquire(90) !== undefined, other.tryAcquire(11)]).toEqual([true, undefined]);
    expect(other.take(11 * CONNECTION_BYTES)).toBe(false);
  });

  it('a namespace does not wait for connections that only another used up', async () => {
    const budget = new ConnectionBudget(200, 100);
    await budget.onBehalfOf('a').acquire(100, signal);
    void budget.onBehalfOf('a').acquire(100, signal);
    await budget.onBehalfOf('b').acquire(100, signal);
    expect(budget.free).toBe(0);
  });

  it('never grants more than its limit, whatever the order of acquire and release', async () => {
    const names = ['a', 'b', 'c'] as const;
    const step = fc.record({
      name: fc.constantFrom(...names),
      count: fc.integer({ min: 1, max: 8 }),
      how: fc.constantFrom('acquire', 'give up', 'try'),
      releases: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const budget = new ConnectionBudget(14, 8);
        let held: { lease: ConnectionLease; name: string; count: number }[] = [];
        const of = (name: string): number =>
          held.reduce((sum, one) => sum + (one.name === name ? one.count : 0), 0);
        const stops: AbortController[] = [];
        const pending: Promise<unknown>[] = [];
        for (const { count, how, name, releases } of steps) {
          const share = budget.onBehalfOf(name);
          const has = (lease: ConnectionLease): unknown => held.push({ lease, name, count });
          if (how === 'try') {
            const lease = share.tryAcquire(count);
            if (lease) has(lease);
          } else {
            const stop = new AbortController();
            stops.push(stop);
            pending.push(share.acquire(count, stop.signal).then(has, () => undefined));
            if (how === 'give up') stop.abort();
          }
          await turn();
          expect(budget.free).toBe(14 - names.reduce((sum, one) => sum + of(one), 0));
          expect(budget.free).toBeGreaterThanOrEqual(0);
          for (const one of names) expect(of(one)).toBeLessThanOrEqual(8);
          const over = held.splice(0, releases % (held.length + 1));
          for (const { lease } of over) lease.release();
          await turn();
        }
        for (const stop of stops) stop.abort();
        await Promise.all(pending);
        for (const { lease } of held) lease.release();
        held = [];
        expect(budget.free).toBe(14);
      }),
      { numRuns: 100 },
    );
  });
});

it('leaves other namespaces room for histories, and takes no more than all may have', () => {
  const budget = new ConnectionBudget(1);
  const MB = 1024 * 1024;
  const [a, b, c] = ['a', 'b', 'c'].map((name) => budget.onBehalfOf(name).history);
  expect(a?.take(48 * MB)).toBe(true);
  expect(a?.take(1)).toBe(false);
  expect(b?.take(48 * MB)).toBe(true);
  expect(c?.take(1)).toBe(false);
  a?.give(48 * MB);
  expect(c?.take(1)).toBe(true);
});
