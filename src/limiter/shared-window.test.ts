import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Counts, type NodeWindow, observe, openWindow, pendingIn } from './window.ts';

const counts = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(1_000))
  .map((record): Counts => new Map(Object.entries(record)));

function totalOf(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

describe('admit', () => {
  it('admits exactly while own and others together are below the limit', () => {
    fc.assert(
      fc.property(counts, fc.nat(2_000), (stored, limit) => {
        const window = openWindow('a', stored);
        const before = totalOf(stored);
        const result = admit(window, limit);
        expect(result.allowed).toBe(before < limit);
        expect(result.window.admitted - window.admitted).toBe(before < limit ? 1 : 0);
        expect(result.remaining).toBe(Math.max(0, limit - before - 1));
      }),
    );
  });
});

describe('observe', () => {
  it('lowers what is synced only by a read that no sync overlapped', () => {
    const window: NodeWindow = { admitted: 5, synced: 5, others: 3 };
    expect(observe(window, 'a', new Map(), false)).toEqual(window);
    const lost = observe(window, 'a', new Map(), true);
    expect(lost).toEqual({ ...window, synced: 0 });
    expect(pendingIn(lost)).toBe(5);
  });
});

/**
 * Three nodes over a Redis that may hold writes back, drop connections and lose its memory. Messages are
 * delivered in any order of the steps drawn; a sync is sent at most once at a time, as the node does.
 */
const NODES = ['a', 'b', 'c'] as const;
type Step =
  | {
      readonly do: 'check' | 'send' | 'run' | 'answer' | 'drop' | 'poll';
      readonly node: (typeof NODES)[number];
    }
  | { readonly do: 'restart' };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('check', 'send', 'run', 'answer', 'drop', 'poll'),
      node: fc.constantFrom(...NODES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
);

class Model {
  readonly limit: number;
  redis = new Map<string, number>();
  readonly nodes = new Map<string, { window: NodeWindow; sync?: { sent: number; reply?: Counts } }>();
  admitted = 0;

  constructor(limit: number) {
    this.limit = limit;
    for (const node of NODES) this.nodes.set(node, { window: openWindow(node, new Map()) });
  }

  apply(step: Step): void {
    if (step.do === 'restart') {
      this.redis = new Map();
      for (const node of this.nodes.values()) delete node.sync;
      return;
    }
    const { node: id } = step;
    const node = this.nodes.get(id);
    if (node === undefined) return;
    if (step.do === 'check') {
      const { window, allowed } = admit(node.window, this.limit);
      node.window = window;
      if (allowed) this.admitted += 1;
    } else if (step.do === 'send') {
      if (node.sync === undefined && pendingIn(node.window) > 0) node.sync = { sent: node.window.admitted };
    } else if (step.do === 'run' && node.sync !== undefined && node.sync.reply === undefined) {
      this.redis.set(id, Math.max(node.sync.sent, this.redis.get(id) ?? 0));
      node.sync.reply = new Map(this.redis);
    } else if (step.do === 'answer' && node.sync?.reply !== undefined) {
      node.window = observe(node.window, id, node.sync.reply, false);
      delete node.sync;
    } else if (step.do === 'drop') {
      // The write may or may not have run; the node cannot know.
      delete node.sync;
    } else if (step.do === 'poll') {
      node.window = observe(node.window, id, this.redis, node.sync === undefined);
    }
  }

  settle(): void {
    // Twice: a poll finds what a restart took, the sync after it puts that back.
    for (const what of ['poll', 'send', 'run', 'answer', 'poll', 'send', 'run', 'answer', 'poll'] as const) {
      for (const node of NODES) this.apply({ do: what, node });
    }
  }
}

describe('nodes over one Redis', () => {
  it('pods over one Redis lose and double no count, despite stalls and retries', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 120 }), (limit, steps) => {
        const model = new Model(limit);
        for (const step of steps) {
          model.apply(step);
          for (const [id, { window }] of model.nodes) {
            expect(model.redis.get(id) ?? 0).toBeLessThanOrEqual(window.admitted);
            expect(window.admitted).toBeLessThanOrEqual(limit);
          }
        }
        expect(model.admitted).toBeLessThanOrEqual(NODES.length * limit);
        model.settle();
        expect(totalOf(model.redis)).toBe(model.admitted);
        for (const { window } of model.nodes.values()) {
          expect(pendingIn(window)).toBe(0);
          expect(window.others + window.admitted).toBe(model.admitted);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('admit exactly the limit when every check is synced and seen before the next', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.array(fc.constantFrom(...NODES), { minLength: 25, maxLength: 40 }),
        (limit, checks) => {
          const model = new Model(limit);
          for (const node of checks) {
            model.apply({ do: 'check', node });
            model.settle();
          }
          expect(model.admitted).toBe(limit);
        },
      ),
    );
  });
});
