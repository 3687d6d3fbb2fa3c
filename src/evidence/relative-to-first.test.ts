import { expect, it } from 'vitest';
import type { EvidenceBundle } from './bundle.ts';
import { firstObservationMs, relativeToFirst } from './relative-to-first.ts';

/** What happened, by times that count from another moment. */
const bundleAt = (ms: number): EvidenceBundle => ({
  version: 'evidence/v2',
  components: [{ name: 'replica-1', role: 'replica' }],
  series: [{ id: 's1', component: 'replica-1', signal: 'requests-sent', points: [[ms + 3007, 1]] }],
  events: [{ id: 'e1', atMs: ms, component: 'replica-1', text: 'it answers again' }],
  invariant: { formula: 'a <= b', broken: true, brokenAtMs: ms + 3040, values: [] },
});

it.each([-80_000, -3000, 0, 7, 80_000])('all times count from the first: from %i ms', (ms) => {
  expect(firstObservationMs(bundleAt(ms))).toBe(ms);
  expect(relativeToFirst(bundleAt(ms))).toEqual(bundleAt(0));
});

it('a bundle in which nothing was seen stays as it is', () => {
  const nothing = { ...bundleAt(7), series: [], events: [] };
  expect(firstObservationMs(nothing)).toBeUndefined();
  expect(relativeToFirst(nothing)).toEqual(nothing);
});
