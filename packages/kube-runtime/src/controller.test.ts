import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Controller, type ReconcileRecord } from './controller.ts';
import { recordingLogger } from './testing.fixture.ts';

beforeEach(() => void vi.useFakeTimers({ fakeNodeBuiltins: true }));
afterEach(() => void vi.useRealTimers());

const backoff = { baseMs: 100, maxMs: 1000, random: () => 1 };
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('Controller', () => {
  it('keeps workers for others when one namespace holds up all it may have', async () => {
    const seen: string[] = [];
    const controller = new Controller({
      name: 'c',
      logger: recordingLogger(),
      concurrency: 4,
      reconcile: async (key) => {
        seen.push(key);
        if (key !== 'b/1') await new Promise(() => {});
      },
    });
    for (let i = 0; i < 10; i += 1) controller.enqueue(`a/${i}`);
    controller.start();
    await settle();
    expect(seen).toEqual(['a/0', 'a/1', 'a/2']);
    controller.enqueue('b/1');
    await settle();
    expect(seen).toEqual(['a/0', 'a/1', 'a/2', 'b/1']);
    const stopped = controller.stop(0);
    await vi.advanceTimersByTimeAsync(3000);
    await stopped;
  });

  it.each([
    ['later', 60_000, [0, 10, 60_010]],
    ['never', undefined, [0, 10]],
  ])('uses the delay of the last reconcile, and no earlier one: %s', async (_, last, times) => {
    const startedAt = performance.now();
    const seen: number[] = [];
    const wishes = [50_000, last];
    const controller = new Controller({
      name: 'c',
      logger: recordingLogger(),
      async reconcile() {
        seen.push(performance.now() - startedAt);
        const requeueAfterMs = wishes.shift();
        return requeueAfterMs === undefined ? {} : { requeueAfterMs };
      },
    });
    controller.start();
    controller.enqueue('a');
    await vi.advanceTimersByTimeAsync(10);
    controller.enqueue('a');
    await vi.advanceTimersByTimeAsync(100_000);
    expect(seen).toEqual(times);
    await controller.stop(0);
  });

  it('lets timers and sockets have turns while thousands of keys wait for nothing', async () => {
    let reconciled = 0;
    const reconcile = async (): Promise<void> => void (reconciled += 1);
    const controller = new Controller({ name: 'c', logger: recordingLogger(), concurrency: 4, reconcile });
    for (let i = 0; i < 1000; i += 1) controller.enqueue(`a/${i}`);
    const inTurns: number[] = [];
    const timer = setInterval(() => inTurns.push(reconciled), 1);
    controller.start();
    await vi.advanceTimersByTimeAsync(100);
    clearInterval(timer);
    expect(Math.max(...inTurns.map((count, i) => count - (inTurns[i - 1] ?? 0)))).toBeLessThan(100);
    expect(reconciled).toBe(1000);
    await controller.stop(0);
  });

  it('logs an error, tries again later and later, and starts over after a success', async () => {
    const logger = recordingLogger();
    const records: ReconcileRecord[] = [];
    let broken = true;
    const controller = new Controller({
      name: 'c',
      logger,
      backoff,
      onReconciled: (record) => records.push(record),
      async reconcile() {
        if (broken) throw new Error('no');
      },
    });
    controller.start();
    controller.enqueue('a');
    await vi.advanceTimersByTimeAsync(350);
    const record = { outcome: 'error', waitedMs: 0, durationMs: 0 };
    expect(records).toEqual([record, record, record]);
    expect(logger.entries.map(({ fields }) => (fields as { retryInMs: number }).retryInMs)).toEqual([
      100, 200, 400,
    ]);
    expect(logger.entries[0]).toMatchObject({
      level: 'error',
      message: 'reconcile failed',
      fields: { controller: 'c', key: 'a', err: new Error('no') },
    });
    broken = false;
    await vi.advanceTimersByTimeAsync(400);
    broken = true;
    controller.enqueue('a');
    await settle();
    expect(logger.entries.at(-1)?.fields).toMatchObject({ retryInMs: 100 });
    await controller.stop(0);
  });

  it('stops: lets running work finish, takes nothing more', async () => {
    const ended: string[] = [];
    const logger = recordingLogger();
    const controller = new Controller({
      name: 'c',
      logger,
      async reconcile(key, signal) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        ended.push(`${key} ${signal.aborted}`);
        return { requeueAfterMs: 10 };
      },
    });
    controller.start();
    controller.enqueue('a');
    controller.enqueue('b');
    await settle();
    let stopped = false;
    void controller.stop(1000).then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(99);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(stopped).toBe(true);
    expect(ended).toEqual(['a false']);
    expect(logger.entries).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops: aborts what runs after the deadline, then leaves what ignores it', async () => {
    const logger = recordingLogger();
    let aborted = false;
    const controller = new Controller({
      name: 'c',
      logger,
      concurrency: 2,
      reconcile: (key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            if (key === 'polite') reject(signal.reason as Error);
          });
        }),
    });
    controller.start();
    controller.enqueue('polite');
    controller.enqueue('deaf');
    await settle();
    let stopped = false;
    const stop = controller.stop(500).then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(499);
    expect(aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(aborted).toBe(true);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    await stop;
    expect(
      logger.entries.map(({ level, fields }) => [level, (fields as { running: string[] }).running]),
    ).toEqual([
      ['warn', ['polite', 'deaf']],
      ['error', ['deaf']],
    ]);
  });
});

type Step = { readonly key: string } | { readonly ms: number } | { readonly end: number | 'fail' | 'done' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ key: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ ms: fc.integer({ min: 0, max: 60 }) }),
  fc.record({
    end: fc.oneof(fc.constantFrom('fail' as const, 'done' as const), fc.integer({ min: -1, max: 50 })),
  }),
);

it('a controller reconciles no key twice at once, and each after its last enqueue', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const running = new Map<string, (end: number | 'fail' | 'done') => void>();
      /** Keys enqueued and not reconciled since. */
      const owed = new Set<string>();
      const controller = new Controller({
        name: 'c',
        logger: recordingLogger(),
        concurrency: 2,
        backoff,
        async reconcile(key) {
          if (running.has(key)) throw new Error(`${key} is reconciled twice at once`);
          owed.delete(key);
          const end = await new Promise<number | 'fail' | 'done'>((resolve) => running.set(key, resolve));
          running.delete(key);
          if (end !== 'done') owed.add(key);
          if (end === 'fail') throw new Error('no');
          return end === 'done' ? {} : { requeueAfterMs: end };
        },
      });
      const endFirst = (end: number | 'fail' | 'done'): void => running.values().next().value?.(end);
      controller.start();
      for (const step of steps) {
        if ('key' in step) {
          owed.add(step.key);
          controller.enqueue(step.key);
        }
        if ('end' in step) endFirst(step.end);
        await vi.advanceTimersByTimeAsync('ms' in step ? step.ms : 0);
      }
      // Everything that is due by now.
      for (let round = 0; round < 10; round += 1) {
        await vi.advanceTimersByTimeAsync(2000);
        endFirst('done');
      }
      await settle();
      expect([[...owed], controller.depth]).toEqual([[], 0]);
      await controller.stop(0);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
