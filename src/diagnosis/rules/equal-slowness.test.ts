/** The observer may be short of processor time: then everything seems slow, and no anomaly exists. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { thinned } from '../../evidence/thin.ts';
import { explain } from './index.ts';

const REPLICAS = ['replica-1', 'replica-2', 'replica-3'] as const;
const START_MS = -2000;
const END_MS = 12_000;

/** Checks one after the other, every 100 ms or as soon as the previous one has its answer. */
function looks(from: number, took: (at: number) => number): Points {
  const points: [number, number][] = [];
  for (let at = from; at < END_MS; ) {
    const value = Math.round(took(at));
    at += Math.max(100, value);
    points.push([at, value]);
  }
  return points;
}

/** A run in which the limit holds: `store` and `replicas` give the latency of a request at a time. */
function run(
  points: number,
  store: (at: number) => number,
  replicas: (at: number) => number,
): ReturnType<typeof explain> {
  const parts: Part[] = [
    ['store', 'read-latency', looks(START_MS, store)],
    ['store', 'write-latency', looks(START_MS, store)],
    ['client', 'limit', [[-900, 10]]],
    ['store', 'count-lag', [[-900, 3]]],
    [
      'store',
      'count-stored',
      [
        [0, 0],
        [4000, 9],
        [11_000, 9],
      ],
    ],
    ...REPLICAS.flatMap((replica): Part[] => [
      [replica, 'request-latency', looks(0, replicas)],
      [
        replica,
        'requests-sent',
        [
          [0, 0],
          [9000, 40],
        ],
      ],
      [
        replica,
        'requests-admitted',
        [
          [0, 0],
          [3000, 3],
        ],
      ],
      [
        replica,
        'requests-rejected',
        [
          [0, 0],
          [9000, 37],
        ],
      ],
      [
        replica,
        'count-local',
        [
          [0, 0],
          [3000, 3],
          [9000, 3],
        ],
      ],
    ]),
  ];
  const invariant = { formula: 'a <= b', values: { a: 9, b: 10 }, broken: false };
  return explain(thinned(bundleOf({ parts, invariant }), points));
}

/** A number of 0 to 1 that depends on the seed and the place alone. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const seed = fc.nat(2 ** 31);
/** In all series together: from all that there are to what makes them thin. */
const points = fc.constantFrom(200, 400, 12_000);

it('a store is not blamed if it and the pods are equally slow from the first check', () => {
  const slowness = fc.record({
    least: fc.integer({ min: 40, max: 250 }),
    spread: fc.integer({ min: 0, max: 400 }),
  });
  fc.assert(
    fc.property(seed, points, slowness, (start, most, { least, spread }) => {
      const next = noise(start);
      const took = (): number => least + spread * next();
      expect(run(most, took, took)).toMatchObject({ anomaly: 'none', component: 'none', action: 'none' });
    }),
    { numRuns: 200 },
  );
});

describe('a store that is slow', () => {
  const added = fc.integer({ min: 120, max: 450 });

  it('is found by its usual latency before, even if replicas wait for it', () => {
    fc.assert(
      fc.property(seed, points, added, fc.boolean(), (start, most, delay, wait) => {
        const next = noise(start);
        const store = (at: number): number =>
          1 + 4 * next() + (at > 0 && at < 9000 ? delay * (1 + 0.2 * next()) : 0);
        const replicas = (at: number): number => (wait ? store(at) : 1 + 4 * next());
        expect(run(most, store, replicas)).toMatchObject({ anomaly: 'store-slow', component: 'store' });
      }),
      { numRuns: 200 },
    );
  });
});
