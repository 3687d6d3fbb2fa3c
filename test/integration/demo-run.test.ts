/** Whole runs of the samples that ship, three of them at once: one operator, and a Redis with three rate limiters each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbered } from '../../src/engine/chapter.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { scenarioOf, verdictLine } from '../kit/status.ts';
import { World } from '../kit/world.ts';

const OTHERS = ['whole-demo', 'whole-gate'] as const;

describe.skipIf(withoutRealTime)('a sample that ships', () => {
  let approximate: World;
  let strict: World;
  let gated: World;
  beforeAll(async () => {
    approximate = await World.start('approximate', { otherNamespaces: OTHERS });
    strict = await approximate.addTarget(OTHERS[0], 'strict');
    gated = await approximate.addTarget(OTHERS[1], 'strict');
  });
  afterAll(() => approximate?.stop());

  it.concurrent(
    'the sample succeeds on an approximate limiter, with both anomalies explained',
    keepingTime(async () => {
      await approximate.apply('demo.yaml', 'whole');
      const status = await approximate.ended('whole');
      expect(verdictLine(status)).toMatch(/^Succeeded ExpectationsMet: /);
      expect(numbered(status).map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
      expect(status.scenarios).toMatchObject([
        { type: 'CounterDrift', result: 'Violated', fault: { proof: 'Confirmed' } },
        { type: 'GhostAllowing', result: 'Violated', fault: { proof: 'Confirmed' } },
      ]);
      expect(scenarioOf(status, 'counter-drift').measures?.['drift']).toBe(30);
      expect(scenarioOf(status, 'ghost-allowing').summary).toBe('>= 20/10, 3/3 trials');
      expect(status.diagnoses?.map((one) => [one.class, one.component])).toEqual([
        ['store-writes-stalled', 'store'],
        ['uncoordinated-admission', 'replicas'],
      ]);
      expect(JSON.stringify(status).length).toBeLessThan(32_768);
    }),
  );

  it.concurrent(
    'the sample proves no drift on a strict limiter, which admits nothing',
    keepingTime(async () => {
      await strict.apply('demo.yaml', 'expecting');
      const status = await strict.ended('expecting');
      expect(verdictLine(status)).toMatch(/^Errored Inconclusive: /);
      expect(status.scenarios).toMatchObject([{ result: 'Inconclusive' }, { result: 'Held' }]);
      expect(scenarioOf(status, 'ghost-allowing').summary).toBe('10/10, 0/3 trials');
    }),
  );

  it.concurrent(
    'passes the gate that expects no anomaly on a strict limiter',
    keepingTime(async () => {
      await gated.apply('gate.yaml', 'gate');
      const status = await gated.ended('gate');
      expect(verdictLine(status)).toMatch(/^Succeeded /);
      expect(status.scenarios).toMatchObject([{ result: 'Held' }, { result: 'Held' }]);
    }),
  );
});
