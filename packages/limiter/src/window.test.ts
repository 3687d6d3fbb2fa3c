import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredWindow } from './store.ts';
import { Windows } from './window.ts';

const WINDOW_MS = 60_000;
const KEY = 'k';
const PODS = ['a', 'b', 'c'] as const;

interface PodModel {
  readonly windows: Windows;
  sync?: { readonly admitted: number; readonly endsAt: number };
  reply?: StoredWindow;
}

/** Three pods over a Redis that may hold writes back, drop connections and lose its memory; each has one sync at a time. */
class Model {
  now = 1000;
  admitted = 0;
  redis: { endsAt?: number; counts: Map<string, number> } = { counts: new Map() };
  readonly pods: Map<string, PodModel>;

  constructor(limit: number) {
    this.pods = new Map<string, PodModel>(
      PODS.map((pod) => [pod, { windows: new Windows(pod, { limit, windowMs: WINDOW_MS }) }]),
    );
  }

  apply(what: 'check' | 'send' | 'run' | 'reply' | 'drop' | 'lose', id: string): void {
    const pod = this.pods.get(id);
    if (!pod) return;
    this.now += 1;
    if (what === 'check') this.admitted += pod.windows.admit(KEY, this.now).allowed ? 1 : 0;
    else if (what === 'send') {
      const [count] = pod.windows.toSync(this.now);
      if (count && !pod.sync && !pod.reply) pod.sync = { ...count };
    } else if (what === 'run' && pod.sync) {
      const { admitted, endsAt } = pod.sync;
      if (admitted > (this.redis.counts.get(id) ?? 0)) {
        this.redis.counts.set(id, admitted);
        this.redis.endsAt ??= endsAt;
      }
      delete pod.sync;
      pod.reply = { ...this.redis, counts: new Map(this.redis.counts) };
    } else if (what === 'reply' && pod.reply) {
      pod.windows.learn(KEY, pod.reply, this.now);
      delete pod.reply;
    } else if (what === 'drop') {
      delete pod.sync;
      delete pod.reply;
    } else if (what === 'lose') this.redis = { counts: new Map() };
  }

  settle(): void {
    for (let round = 0; round < 3; round += 1) {
      for (const what of ['send', 'run', 'reply'] as const) for (const pod of PODS) this.apply(what, pod);
    }
  }

  get stored(): number {
    return [...this.redis.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

const step = fc.tuple(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('check', 'send', 'run', 'reply', 'drop' as const) },
    { weight: 1, arbitrary: fc.constant('lose' as const) },
  ),
  fc.constantFrom(...PODS),
);

describe('pods over one Redis', () => {
  it('lose and double no count, despite stalls, retries and lost data', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 120 }), (limit, steps) => {
        const model = new Model(limit);
        for (const [what, pod] of steps) model.apply(what, pod);
        expect(model.admitted).toBeLessThanOrEqual(PODS.length * limit);
        model.settle();
        expect(model.stored).toBe(model.admitted);
        for (const { windows } of model.pods.values()) expect(windows.pending(model.now)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('admit exactly the limit if each check is synced before the next', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.constantFrom(...PODS), { minLength: 25, maxLength: 40 }),
        (limit, checks) => {
          const model = new Model(limit);
          // Each pod has to know the key before it learns of the others.
          for (const { windows } of model.pods.values()) windows.use(KEY, model.now);
          for (const pod of checks) {
            model.apply('check', pod);
            model.settle();
          }
          expect(model.admitted).toBe(limit);
        },
      ),
    );
  });
});

describe('a window', () => {
  const windows = () => new Windows('a', { limit: 2, windowMs: WINDOW_MS });

  it('begins with the first admitted request, and admits again after its end', () => {
    const own = windows();
    own.use(KEY, 0);
    const [first, second, third] = [5000, 5001, 5002].map((at) => own.admit(KEY, at).allowed);
    expect([first, second, third]).toEqual([true, true, false]);
    expect(own.admit(KEY, 5000 + WINDOW_MS - 1).allowed).toBe(false);
    expect(own.admit(KEY, 5000 + WINDOW_MS).allowed).toBe(true);
  });

  it('ends when the counts in Redis do', () => {
    const own = windows();
    own.learn(KEY, { endsAt: 700, counts: new Map([['b', 1]]) }, 100);
    expect(own.remaining(own.use(KEY, 200))).toBe(1);
    expect(own.use(KEY, 700)).toMatchObject({ endsAt: 700 + WINDOW_MS, others: 0 });
  });

  it('continues the count of a pod that was restarted in it', () => {
    const own = windows();
    own.learn(KEY, { endsAt: 700, counts: new Map([['a', 2]]) }, 100);
    expect(own.admit(KEY, 200).allowed).toBe(false);
  });
});
