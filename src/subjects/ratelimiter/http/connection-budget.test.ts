import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionBudget, ConnectionBudgetError, type ConnectionLease } from './connection-budget.ts';

const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a budget of connections', () => {
  it('refuses at once what can never be granted', async () => {
    await expect(new ConnectionBudget(10).acquire(11, signal)).rejects.toThrow(ConnectionBudgetError);
  });

  it('lets the next wait until enough are given back, and counts what is given back once', async () => {
    const budget = new ConnectionBudget(10);
    const first = await budget.acquire(6, signal);
    let granted = false;
    const second = budget.acquire(5, signal).then((lease) => {
      granted = true;
      return lease;
    });
    await turn();
    expect(granted).toBe(false);
    first.release();
    first.release();
    (await second).release();
    expect(budget.free).toBe(10);
  });

  it('does not let small ones overtake a large one for ever', async () => {
    const budget = new ConnectionBudget(10);
    const first = await budget.acquire(6, signal);
    const order: string[] = [];
    const large = budget.acquire(10, signal).then((lease) => {
      order.push('large');
      lease.release();
    });
    const small = budget.acquire(1, signal).then(() => order.push('small'));
    await turn();
    first.release();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  it('lets the next through when one that waits is aborted, and leaves no listener behind', async () => {
    const budget = new ConnectionBudget(10);
    await budget.acquire(6, signal);
    const stop = new AbortController();
    const large = budget.acquire(10, stop.signal);
    const small = budget.acquire(1, stop.signal);
    const both = Promise.allSettled([large, small]);
    const another = budget.acquire(2, signal);
    stop.abort(new Error('the run was aborted'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await another;
    expect(budget.free).toBe(2);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  it('never grants more than there are, whoever asks, gives up and gives back', async () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 8 }),
      aborts: fc.boolean(),
      releases: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const budget = new ConnectionBudget(8);
        const held: { lease: ConnectionLease; count: number }[] = [];
        const stops: AbortController[] = [];
        const asked: Promise<unknown>[] = [];
        for (const { count, aborts, releases } of steps) {
          const stop = new AbortController();
          stops.push(stop);
          asked.push(
            budget.acquire(count, stop.signal).then(
              (lease) => held.push({ lease, count }),
              () => undefined,
            ),
          );
          if (aborts) stop.abort();
          await turn();
          expect(budget.free).toBe(8 - held.reduce((sum, { count }) => sum + count, 0));
          expect(budget.free).toBeGreaterThanOrEqual(0);
          for (const { lease } of held.splice(0, releases % (held.length + 1))) lease.release();
          await turn();
        }
        for (const stop of stops) stop.abort();
        await Promise.all(asked);
        for (const { lease } of held) lease.release();
        expect(budget.free).toBe(8);
      }),
      { numRuns: 100 },
    );
  });
});
