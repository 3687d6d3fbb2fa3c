import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaultStatus } from '../../api/index.ts';
import { nothingObserved } from '../../engine/observed.ts';
import type { FaultEvidence, Scenario } from '../../engine/subject.ts';
import { scenarioPartOf } from './run-evidence.ts';

const RUN_AT = Date.parse('2026-01-01T00:00:00.000Z');

it('puts a detection as long after the break as the status says it took', () => {
  const scenario = { name: 'one', faultTitle: 'a fault', invariant: 'it holds' } as Scenario;
  const fault = { id: 'f', plannedAt: new Date(RUN_AT).toISOString() } as FaultStatus;
  const seen = {
    originMs: RUN_AT,
    pods: [],
    bands: [],
    bundle: { series: [], events: [] },
  } as unknown as FaultEvidence;
  const milliseconds = fc.double({ min: 0, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(milliseconds, milliseconds, (afterStart, took) => {
      const brokenAt = RUN_AT + afterStart;
      const reading = { brokenAt, detectedAt: brokenAt + took, summary: '9 > 5' };
      const observed = { ...nothingObserved(RUN_AT), readings: { f: reading } } as never;
      const status = { run: { startedAt: new Date(RUN_AT).toISOString() } } as never;
      const { detections } = scenarioPartOf(status, scenario, fault, seen, observed);
      const [broken, detected] = detections.map(({ atMs }) => atMs);
      // As applyReading does it.
      expect((detected ?? 0) - (broken ?? 0)).toBe(Math.max(0, Math.round(reading.detectedAt - brokenAt)));
    }),
  );
});

describe('the origin of what was seen', () => {
  const PLANNED = RUN_AT + 5000;
  const scenario = { name: 'one', faultTitle: 'a fault', countdownMs: 3000 } as Scenario;
  const status = { run: { startedAt: new Date(RUN_AT).toISOString() } } as never;
  const bundle = {
    series: [{ id: 's1', component: 'store', signal: 'read-latency', unit: 'ms', points: [[0, 1]] }],
    events: [{ id: 'e1', atMs: 500, component: 'store', text: 'it answers again' }],
  };
  const seen = (originMs: number, bands: object[] = []): FaultEvidence =>
    ({ originMs, pods: [], bands, bundle }) as unknown as FaultEvidence;
  const partOf = (evidence: FaultEvidence, startedAt?: number) => {
    const began = startedAt === undefined ? {} : { startedAt: new Date(startedAt).toISOString() };
    const fault = { id: 'f', plannedAt: new Date(PLANNED).toISOString(), ...began } as FaultStatus;
    return scenarioPartOf(status, scenario, fault, evidence, nothingObserved(RUN_AT));
  };

  it('observed times start at the planned fault if the run stops before it', () => {
    const part = partOf(seen(RUN_AT + 2000));
    expect(part.bundleAtMs).toBe(5000);
    expect(part.bundle.series[0]?.points).toEqual([[-3000, 1]]);
    expect(part.bundle.events[0]?.atMs).toBe(-2500);
  });

  it('is that of the bundle once it has begun, or something was seen to be active', () => {
    const band = { kind: 'fault', from: RUN_AT + 5100, to: RUN_AT + 5101, text: '' };
    for (const part of [partOf(seen(RUN_AT + 5100), RUN_AT + 5100), partOf(seen(RUN_AT + 5100, [band]))]) {
      expect(part.bundleAtMs).toBe(5100);
      expect(part.bundle.series[0]?.points).toEqual([[0, 1]]);
    }
  });
});
