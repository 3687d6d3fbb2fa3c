import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FaultStatus } from '../api/index.ts';
import { nothingObserved } from '../demo/observed.ts';
import type { FaultEvidence, Scenario } from '../demo/subject.ts';
import { scenarioPartOf } from './run-evidence.ts';

const RUN_AT = Date.parse('2026-01-01T00:00:00.000Z');

it('puts a detection as long after the break as the status says it took', () => {
  const scenario = { name: 'one', faultTitle: 'a fault', invariant: 'it holds' } as Scenario;
  const fault = { id: 'f', plannedAt: new Date(RUN_AT).toISOString() } as FaultStatus;
  const seen = { originMs: RUN_AT, pods: [], bands: [], bundle: {} } as unknown as FaultEvidence;
  const milliseconds = fc.double({ min: 0, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(milliseconds, milliseconds, (afterStart, took) => {
      const brokenAt = RUN_AT + afterStart;
      const reading = { brokenAt, detectedAt: brokenAt + took, summary: '9 > 5' };
      const observed = { ...nothingObserved(RUN_AT), readings: { f: reading } } as never;
      const status = { run: { startedAt: new Date(RUN_AT).toISOString() } } as never;
      const { detections } = scenarioPartOf(status, scenario, fault, seen, observed);
      const [broken, detected] = detections.map(({ atMs }) => atMs);
      // As takeReading does it.
      expect((detected ?? 0) - (broken ?? 0)).toBe(Math.max(0, Math.round(reading.detectedAt - brokenAt)));
    }),
  );
});
