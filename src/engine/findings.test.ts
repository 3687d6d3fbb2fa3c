import { describe, expect, it } from 'vitest';
import { callsForDecision, type Finding, record } from './findings.ts';
import { type InvariantReading, nothingObserved, type Observed } from './observed.ts';

const NOTHING = nothingObserved(0);

const reading = (changes: Partial<InvariantReading> = {}): Finding => ({
  kind: 'Reading',
  fault: '1-a-1',
  reading: { measures: [], summary: '', watchedUntil: 1, shortfalls: [], evidence: [], ...changes },
});
const health = (hasIssues: boolean, lastUpdated: number): Finding => ({
  kind: 'Health',
  snapshot: { pods: [], dependencies: [], hasIssues, issues: [], lastUpdated, validUntil: lastUpdated + 1 },
});

/** What was seen when these findings have come in, one after the other. */
const after = (...findings: Finding[]): Observed => findings.reduce(record, NOTHING);

describe('record', () => {
  it('leaves what was seen before as it is', () => {
    const before = structuredClone(NOTHING);
    record(NOTHING, reading());
    record(NOTHING, { kind: 'Begun', fault: 'a' });
    expect(NOTHING).toEqual(before);
  });

  it('keeps what belongs to other faults', () => {
    const seen = after(
      { kind: 'Fault', fault: 'a', report: { message: 'on', evidence: [] } },
      { kind: 'Fault', fault: 'b', report: { message: 'off', evidence: [] } },
    );
    expect(Object.keys(seen.faults)).toEqual(['a', 'b']);
  });

  it('takes a preparation that worked in place of one that failed', () => {
    const prepared = { fixture: 'x', sequence: 2, usableUntil: 9, message: 'ready' };
    const seen = after(
      { kind: 'NotPrepared', fault: 'a', message: 'no' },
      { kind: 'Prepared', fault: 'a', prepared },
    );
    expect(seen.prepareFailures).toEqual({});
    expect(seen.prepared['a']).toBe(prepared);
  });

  it('counts the looks at the permission and at the template', () => {
    const admission: Finding = { kind: 'Admission', admission: { state: 'granted' }, generation: 3, at: 5 };
    expect(after(admission, admission).lastAdmissionCheck).toEqual({ generation: 3, at: 5, count: 2 });
    const seen = after(
      { kind: 'PodTemplate', generation: 1, at: 1, podTemplate: 'x' },
      { kind: 'PodTemplate', generation: 1, at: 2 },
    );
    expect(seen.podTemplate).toBeUndefined();
    expect(seen.lastPodTemplateCheck?.count).toBe(2);
  });
});

describe('a call for a decision', () => {
  it('comes with health that differs in more than its time', () => {
    const seen = after(health(false, 1));
    expect(callsForDecision(NOTHING, health(false, 1))).toBe(true);
    expect(callsForDecision(seen, health(false, 2))).toBe(false);
    expect(callsForDecision(seen, health(true, 2))).toBe(true);
  });

  it('comes once with a detection, and once when the watch is complete', () => {
    expect(callsForDecision(NOTHING, reading())).toBe(false);
    const detected = reading({ detectedAt: 5 });
    expect(callsForDecision(after(reading()), detected)).toBe(true);
    expect(callsForDecision(after(detected), detected)).toBe(false);
    expect(callsForDecision(after(detected), reading({ detectedAt: 5, complete: true }))).toBe(true);
  });

  it('comes with a second check only if that changed anything', () => {
    const seen = after({ kind: 'Admission', admission: { state: 'granted' }, generation: 1, at: 1 });
    const granted = { admission: { state: 'granted' } } as const;
    expect(callsForDecision(seen, { kind: 'PreconditionCheck', ...granted, gone: [] })).toBe(false);
    expect(callsForDecision(seen, { kind: 'PreconditionCheck', ...granted, gone: ['a'] })).toBe(true);
    const refused = { state: 'refused', reason: 'NamespaceNotEnabled', message: 'no' } as const;
    expect(callsForDecision(seen, { kind: 'PreconditionCheck', admission: refused })).toBe(true);
  });
});
