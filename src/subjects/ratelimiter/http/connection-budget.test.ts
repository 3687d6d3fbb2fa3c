import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONNECTION_BYTES,
  ConnectionBudget,
  ConnectionBudgetError,
  type ConnectionLease,
} from './connection-budget.ts';

const { signal } = new AbortController();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a budget of connections', () => {
  const shop = (most: number) => {
    const budget = new ConnectionBudget(most);
    return { budget, share: budget.onBehalfOf('shop') };
  };

  it('refuses at once what can never be granted', async () => {
    await expect(shop(10).share.acquire(11, signal)).rejects.toThrow(ConnectionBudgetError);
  });

  it('lets the next wait until enough are given back, and counts what is given back once', async () => {
    const { budget, share } = shop(10);
    const first = await share.acquire(6, signal);
    let granted = false;
    const second = share.acquire(5, signal).then((lease) => {
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

  it('lets the next through when one that waits is aborted, and leaves no listener behind', async () => {
    const { budget, share } = shop(10);
    await share.acquire(6, signal);
    const stop = new AbortController();
    const large = share.acquire(10, stop.signal);
    const small = share.acquire(1, stop.signal);
    const both = Promise.allSettled([large, small]);
    const another = share.acquire(2, signal);
    stop.abort(new Error('the run was aborted'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await another;
    expect(budget.free).toBe(2);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  it('counts answers that have come in part as the connections that would take as much', async () => {
    const { budget, share } = shop(10);
    const lease = await share.acquire(8, signal);
    expect(share.take(CONNECTION_BYTES + 1)).toBe(true);
    expect([share.take(CONNECTION_BYTES), share.tryAcquire(1)]).toEqual([false, undefined]);
    share.give(CONNECTION_BYTES + 1);
    lease.release();
    expect(budget.free).toBe(10);
  });
});

describe('a budget of connections for several namespaces', () => {
  /** 80 are common to all, and each has 20 for itself. */
  const several = () => new ConnectionBudget(200, { mostByNamespace: 100, own: 20, namespaces: 6 });
  /** The names in the order in which they are granted what they wait for. */
  const queue = () => {
    const order: string[] = [];
    const leases = new Map<string, ConnectionLease>();
    const ask = (budget: ConnectionBudget, name: string, count: number): void => {
      void budget
        .onBehalfOf(name.slice(0, 1))
        .acquire(count, signal)
        .then((lease) => {
          order.push(name);
          leases.set(name, lease);
        });
    };
    const end = async (name: string): Promise<void> => {
      leases.get(name)?.release();
      await turn();
    };
    return { ask, end, order };
  };

  it('lets nobody wait for what is its own, whatever others hold and wait for', async () => {
    const budget = several();
    const { ask, order } = queue();
    for (const name of ['a1', 'a2', 'b1', 'b2']) ask(budget, name, 100);
    await turn();
    ask(budget, 'c1', 20);
    await turn();
    expect(order).toEqual(['a1', 'c1']);
    expect(budget.onBehalfOf('d').tryAcquire(20)).toBeDefined();
    expect(budget.onBehalfOf('e').take(20 * CONNECTION_BYTES)).toBe(true);
  });

  it('shares all that is not kept for a namespace, also where that is more than one may have', () => {
    const budget = new ConnectionBudget(260, { mostByNamespace: 100, own: 20, namespaces: 3 });
    const granted = ['a', 'b', 'c'].map((name) => budget.onBehalfOf(name).tryAcquire(100) !== undefined);
    expect(granted).toEqual([true, true, false]);
    expect(budget.onBehalfOf('c').tryAcquire(60)).toBeDefined();
  });

  it('gives no namespace more than its share', async () => {
    const budget = several();
    const share = budget.onBehalfOf('a');
    await share.acquire(90, signal);
    expect([share.isUsedUpBy(11), share.tryAcquire(11), share.take(11 * CONNECTION_BYTES)]).toEqual([
      true,
      undefined,
      false,
    ]);
    expect(share.tryAcquire(10)).toBeDefined();
  });

  it('lets namespaces take turns for what is common, however many bursts of one wait', async () => {
    const budget = several();
    const { ask, end, order } = queue();
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1']) ask(budget, name, 100);
    await turn();
    for (const name of ['a1', 'b1', 'c1']) await end(name);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2']);
  });

  it('does not let a large one hold up small ones, nor small ones overtake a large one for ever', async () => {
    const budget = several();
    const { ask, end, order } = queue();
    ask(budget, 'a0', 40);
    await turn();
    ask(budget, 'b0', 100);
    const overtaking = Array.from({ length: 20 }, (_, i) => `c${i}`);
    for (const name of overtaking) {
      // 20 of these are common.
      ask(budget, name, 40);
      await turn();
      await end(name);
    }
    // As many as one namespace may have went past it; now they wait for it.
    expect(order).toEqual(['a0', ...overtaking.slice(0, 5)]);
    expect(budget.onBehalfOf('d').tryAcquire(21)).toBeUndefined();
    expect(budget.onBehalfOf('d').tryAcquire(20)).toBeDefined();
    await end('a0');
    expect(order.slice(6)).toEqual(['b0']);
  });

  it('never gives more than there is, whoever asks, gives up and gives back', async () => {
    const names = ['a', 'b', 'c'] as const;
    const step = fc.record({
      name: fc.constantFrom(...names),
      count: fc.integer({ min: 1, max: 8 }),
      how: fc.constantFrom('acquire', 'give up', 'try'),
      releases: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const own = 2;
        const budget = new ConnectionBudget(14, { mostByNamespace: 8, own, namespaces: 4 });
        let held: { lease: ConnectionLease; name: string; count: number }[] = [];
        const of = (name: string): number =>
          held.reduce((sum, one) => sum + (one.name === name ? one.count : 0), 0);
        const stops: AbortController[] = [];
        const asked: Promise<unknown>[] = [];
        for (const { count, how, name, releases } of steps) {
          const share = budget.onBehalfOf(name);
          const has = (lease: ConnectionLease): unknown => held.push({ lease, name, count });
          if (how === 'try') {
            const lease = share.tryAcquire(count);
            if (lease) has(lease);
            else expect(of(name) + count).toBeGreaterThan(own);
          } else {
            const stop = new AbortController();
            stops.push(stop);
            asked.push(share.acquire(count, stop.signal).then(has, () => undefined));
            if (how === 'give up') stop.abort();
          }
          await turn();
          expect(budget.free).toBe(14 - names.reduce((sum, one) => sum + of(one), 0));
          expect(budget.free).toBeGreaterThanOrEqual(0);
          for (const one of names) expect(of(one)).toBeLessThanOrEqual(8);
          const common = names.reduce((sum, one) => sum + Math.max(0, of(one) - own), 0);
          expect(common).toBeLessThanOrEqual(6);
          const over = held.splice(0, releases % (held.length + 1));
          for (const { lease } of over) lease.release();
          await turn();
        }
        for (const stop of stops) stop.abort();
        await Promise.all(asked);
        for (const { lease } of held) lease.release();
        held = [];
        expect(budget.free).toBe(14);
      }),
      { numRuns: 100 },
    );
  });
});
