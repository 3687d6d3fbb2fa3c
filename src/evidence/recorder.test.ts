import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVIDENCE_LIMITS, type EvidenceComponent, evidenceBundle, SIGNALS, type Signal } from './bundle.ts';
import { EvidenceRecorder } from './recorder.ts';

const components: EvidenceComponent[] = [
  { name: 'replica-1', role: 'replica' },
  { name: 'store', role: 'store' },
  { name: 'client', role: 'client' },
];
const recorder = () => new EvidenceRecorder(components);

describe('a recorder', () => {
  it('keeps a value that stays as its first and its last sight', () => {
    const seen = recorder();
    for (let at = 0; at <= 1000; at += 100) seen.add(at, 'store', 'count-stored', at < 500 ? 3 : 9);
    expect(seen.bundle(500).series).toEqual([
      {
        id: 's1',
        component: 'store',
        signal: 'count-stored',
        points: [
          [-500, 3],
          [-100, 3],
          [0, 9],
          [500, 9],
        ],
      },
    ]);
  });

  it('sorts points and events that arrive late', () => {
    const seen = recorder();
    for (const [at, value] of [
      [10, 1],
      [30, 3],
      [20, 2],
    ] as const) {
      seen.add(at, 'store', 'read-latency', value);
    }
    seen.event(30, 'store', 'later');
    seen.event(20, 'store', 'earlier');
    const { events, series } = seen.bundle(0);
    expect(series[0]?.points.map(([at]) => at)).toEqual([10, 20, 30]);
    expect(events.map(({ id, text }) => [id, text])).toEqual([
      ['e2', 'earlier'],
      ['e1', 'later'],
    ]);
  });

  it('counts a late request at its time, and so at every time after it', () => {
    const moments = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(moments, (sent) => {
        const seen = recorder();
        for (const at of sent) seen.count(at, 'replica-1', 'requests-sent');
        for (const [at, value] of seen.bundle(0).series[0]?.points ?? []) {
          // Of several at one moment each is a step.
          expect(value).toBeLessThanOrEqual(sent.filter((moment) => moment <= at).length);
          expect(value).toBeGreaterThan(sent.filter((moment) => moment < at).length);
        }
        expect(seen.bundle(0).series[0]?.points.at(-1)?.[1]).toBe(sent.length);
      }),
    );
  });

  it('keeps the first and the last of too many events', () => {
    const seen = recorder();
    for (let i = 0; i < 3 * EVIDENCE_LIMITS.events; i += 1) seen.event(i, 'store', `${i}`);
    const { events } = seen.bundle(0);
    expect(events).toHaveLength(EVIDENCE_LIMITS.events);
    expect([events[0]?.text, events.at(-1)?.text]).toEqual(['0', `${3 * EVIDENCE_LIMITS.events - 1}`]);
  });

  it('makes a valid bundle of any input, with the extremes of every series', () => {
    const seen = fc.record({
      at: fc.integer({ min: 0, max: 80_000_000 }),
      component: fc.constantFrom('replica-1', 'store', 'client', 'stranger'),
      signal: fc.constantFrom(...(Object.keys(SIGNALS) as Signal[])),
      value: fc.oneof(fc.nat(1000), fc.constant(Number.NaN), fc.constant(Number.POSITIVE_INFINITY)),
    });
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 2000, size: 'max' }), (all) => {
        const recorded = recorder();
        for (const { at, component, signal, value } of all) recorded.add(at, component, signal, value);
        const bundle = recorded.bundle(40_000_000);
        expect(evidenceBundle.safeParse(bundle).error).toBeUndefined();
        const points = bundle.series.reduce((sum, series) => sum + series.points.length, 0);
        expect(points).toBeLessThanOrEqual(EVIDENCE_LIMITS.points);
        for (const series of bundle.series) {
          const values = all
            .filter(
              ({ component, signal, value }) =>
                component === series.component && signal === series.signal && Number.isFinite(value),
            )
            .map(({ value }) => value);
          expect(Math.max(...series.points.map(([, value]) => value))).toBe(Math.max(...values));
        }
      }),
      { numRuns: 30 },
    );
  });
});
