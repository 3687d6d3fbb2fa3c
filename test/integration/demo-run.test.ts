/** Whole runs of the samples that ship, three of them at once: one operator, and a Redis with three rate limiters each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { measureOf, scenarioOf, verdictLine } from '../kit/status.ts';
import { World } from '../kit/world.ts';

const BESIDE = ['whole-demo', 'whole-gate'] as const;

const RIGHT = expect.objectContaining({ localization: 'Right', identification: 'Right', action: 'Right' });

describe.skipIf(withoutRealTime)('a sample that ships', () => {
  let approximate: World;
  let strict: World;
  let gated: World;
  beforeAll(async () => {
    approximate = await World.start('approximate', { beside: BESIDE });
    strict = await approximate.addTarget(BESIDE[0], 'strict');
    gated = await approximate.addTarget(BESIDE[1], 'strict');
  });
  afterAll(() => approximate?.stop());

  it.concurrent(
    'succeeds on an approximate limiter: eleven chapters, both faults confirmed, both anomalies detected and explained',
    keepingTime(async () => {
      await approximate.apply('demo.yaml', 'whole');
      const status = await approximate.ended('whole');
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet: /);
      expect(status.chapters?.map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
      expect(status.scenarios).toMatchObject([
        { type: 'CounterDrift', result: 'Detected', fault: { proof: 'Confirmed' } },
        { type: 'GhostAllowing', result: 'Detected', fault: { proof: 'Confirmed' } },
      ]);
      expect(measureOf(scenarioOf(status, 'counter-drift')).observed).toBe(30);
      expect(measureOf(scenarioOf(status, 'ghost-allowing')).summary).toBe('>= 20/10, 3/3 trials');
      expect(status.diagnoses?.map(({ anomaly, component, grade }) => [anomaly, component, grade])).toEqual([
        ['store-writes-stalled', 'store', RIGHT],
        ['uncoordinated-admission', 'replicas', RIGHT],
      ]);
      expect(JSON.stringify(status).length).toBeLessThan(32_768);
    }),
  );

  it.concurrent(
    'fails honestly on a strict limiter where an anomaly was expected: it is proven absent',
    keepingTime(async () => {
      await strict.apply('demo.yaml', 'expecting');
      const status = await strict.ended('expecting');
      expect(verdictLine(status)).toMatch(/^Failed AnomalyNotReproduced: /);
      expect(status.scenarios).toMatchObject([{ result: 'NotDetected' }, { result: 'NotDetected' }]);
      expect(measureOf(scenarioOf(status, 'ghost-allowing')).summary).toBe('10/10, 0/3 trials');
    }),
  );

  it.concurrent(
    'passes the gate that expects no anomaly on a strict limiter',
    keepingTime(async () => {
      await gated.apply('gate.yaml', 'gate');
      const status = await gated.ended('gate');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(status.scenarios).toMatchObject([{ result: 'NotDetected' }, { result: 'NotDetected' }]);
    }),
  );
});
