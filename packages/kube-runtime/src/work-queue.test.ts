import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkQueue } from './work-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const exact = { baseMs: 100, maxMs: 1000, random: () => 1 };

it('on shutdown a work queue releases workers, and waits for keys in progress', async () => {
  const queue = new WorkQueue();
  queue.add('running');
  await queue.take();
  const idleWorker = queue.take();
  queue.addAfter('later', 10);
  let drained = false;
  void queue.shutDown().then(() => {
    drained = true;
  });
  queue.add('new');
  queue.add('running');
  expect(await idleWorker).toBeUndefined();
  expect(await queue.take()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(100);
  expect(drained).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
  queue.done('running');
  await vi.advanceTimersByTimeAsync(0);
  expect(drained).toBe(true);
  expect(queue.depth).toBe(0);
});

const take = async (queue: WorkQueue, count: number): Promise<(string | undefined)[]> => {
  const keys: (string | undefined)[] = [];
  for (let i = 0; i < count; i += 1) keys.push(await queue.take());
  return keys;
};

describe('WorkQueue between namespaces', () => {
  it('hands out limited keys of one namespace, and keys of others during that', async () => {
    const queue = new WorkQueue({ maxPerNamespace: 2 });
    for (let i = 0; i < 10; i += 1) queue.add(`a/${i}`);
    expect(await take(queue, 2)).toEqual(['a/0', 'a/1']);
    const third = queue.take();
    await vi.advanceTimersByTimeAsync(0);
    expect(queue.processing).toEqual(['a/0', 'a/1']);
    queue.add('b/0');
    expect(await third).toBe('b/0');
    queue.done('a/0');
    expect(await queue.take()).toBe('a/2');
  });

  it('an observer gets how long keys wait and run, and which are retried', async () => {
    const seen: string[] = [];
    const queue = new WorkQueue({
      backoff: exact,
      observer: {
        added: () => seen.push('added'),
        taken: (ms) => seen.push(`taken after ${ms}`),
        done: (ms) => seen.push(`done after ${ms}`),
        retried: () => seen.push('retried'),
      },
    });
    queue.add('a');
    queue.add('a');
    await vi.advanceTimersByTimeAsync(20);
    await queue.take();
    queue.addAfterFailure('a');
    await vi.advanceTimersByTimeAsync(30);
    queue.done('a');
    expect(seen).toEqual(['added', 'taken after 20', 'retried', 'done after 30']);
  });
});

type Step =
  | { do: 'add' | 'fail'; key: string }
  | { do: 'addAfter'; key: string; ms: number }
  | { do: 'take' | 'done' }
  | { do: 'wait'; ms: number };

const key = fc.constantFrom('a', 'b', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('add' as const, 'fail' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: -1, max: 50 }) }),
  fc.record({ do: fc.constantFrom('take' as const, 'done' as const) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

it('a work queue processes no key twice at once, and each key after its last add', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = new WorkQueue({ backoff: exact });
      const running: string[] = [];
      /** Keys added and not taken since. */
      const owed = new Set<string>();
      const taken = (key: string | undefined): void => {
        if (key === undefined) return;
        if (running.includes(key)) throw new Error(`${key} is processed twice at once`);
        owed.delete(key);
        running.push(key);
      };
      for (const step of steps) {
        if (step.do === 'add') queue.add(step.key);
        if (step.do === 'fail') queue.addAfterFailure(step.key);
        if (step.do === 'addAfter') queue.addAfter(step.key, step.ms);
        if ('key' in step) owed.add(step.key);
        if (step.do === 'take') void queue.take().then(taken);
        if (step.do === 'done') {
          const key = running.shift();
          if (key !== undefined) queue.done(key);
        }
        await vi.advanceTimersByTimeAsync(step.do === 'wait' ? step.ms : 0);
      }
      // Everything due by now, and workers enough to process it all.
      await vi.advanceTimersByTimeAsync(2000);
      for (let round = 0; round < 10; round++) {
        for (const key of running.splice(0)) queue.done(key);
        for (let worker = 0; worker < 3; worker++) void queue.take().then(taken);
        await vi.advanceTimersByTimeAsync(0);
      }
      expect([...owed]).toEqual([]);
      expect(queue.depth).toBe(0);
      await queue.shutDown().catch(() => {});
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
