import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EvidenceBundle } from './bundle.ts';
import { firstObservationMs, relativeToFirst, shifted } from './shifted.ts';

const bundle: EvidenceBundle = {
  version: 'evidence/v2',
  components: [{ name: 'replica-1', role: 'replica' }],
  series: [
    {
      id: 's1',
      component: 'replica-1',
      signal: 'requests-sent',
      points: [
        [7, 1],
        [12, 2],
      ],
    },
  ],
  events: [{ id: 'e1', atMs: -3000, component: 'replica-1', text: 'it answers again' }],
  invariant: { formula: 'a <= b', broken: true, brokenAtMs: 40, values: [] },
};

it('moves every time of a bundle, and nothing else', () => {
  const later = shifted(bundle, 3000);
  expect(later.series[0]?.points).toEqual([
    [3007, 1],
    [3012, 2],
  ]);
  expect(later.events[0]).toEqual({ ...bundle.events[0], atMs: 0 });
  expect(later.invariant).toEqual({ ...bundle.invariant, brokenAtMs: 3040 });
  expect(shifted(later, -3000)).toEqual(bundle);
});

it('gives the same from its beginning, whatever its times count from', () => {
  fc.assert(
    fc.property(fc.integer({ min: -80_000, max: 80_000 }), (by) => {
      const shown = relativeToFirst(shifted(bundle, by));
      expect(shown).toEqual(relativeToFirst(bundle));
      expect(firstObservationMs(shown)).toBe(0);
    }),
  );
});

it('leaves a bundle as it is in which nothing was seen', () => {
  const nothing = { ...bundle, series: [], events: [] };
  expect(firstObservationMs(nothing)).toBeUndefined();
  expect(relativeToFirst(nothing)).toEqual(nothing);
});
