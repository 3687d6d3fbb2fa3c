import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import type { ScenarioStatus, Verdict } from '../../api/index.ts';
import { type Report, reportOf } from './report.ts';

const verdict = (phase: Verdict['phase'], reason: Verdict['reason']): Verdict => ({
  phase,
  reason,
  message: 'why',
});

/** The report of a run whose scenarios ended so. */
function reportWith(
  end: Verdict,
  scenarios: readonly Pick<ScenarioStatus, 'evidence' | 'expect' | 'measures' | 'result' | 'summary'>[],
): Report {
  const { demo } = recordedRun();
  const [first] = demo.status?.scenarios ?? [];
  const status = {
    ...demo.status,
    run: { number: 1, startedAt: '2026-01-01T00:00:00Z', ...end },
    scenarios: scenarios.map((one, i) => ({ type: first?.type ?? '', name: `s${i + 1}`, ...one })),
    diagnoses: [],
  };
  const report = reportOf({ demo: { ...demo, status } });
  if (!report) throw new Error('no report');
  return report;
}

const BROKE = { expect: 'Violated', result: 'Violated' } as const;
const HELD = { expect: 'Held', result: 'Held' } as const;
const UNMET = { expect: 'Held', result: 'Violated' } as const;
const UNJUDGED = { expect: 'Violated', result: 'Inconclusive' } as const;

describe('the verdict of a report', () => {
  const weak = { ...HELD, summary: 'FailsOpen, 30 of 10 in 1.2 s' };
  const absent = { expect: 'Violated', result: 'Held' } as const;
  it.each([
    [verdict('Succeeded', 'ExpectationsMet'), [HELD, HELD], 'good'],
    // No good news, although the gate has passed.
    [verdict('Succeeded', 'ExpectationsMet'), [BROKE, HELD], 'bad'],
    [verdict('Succeeded', 'ExpectationsMet'), [weak], 'bad'],
    [verdict('Failed', 'UnexpectedViolation'), [UNMET, HELD], 'bad'],
    [verdict('Failed', 'ViolationNotReproduced'), [absent], 'none'],
    [verdict('Failed', 'BaselineViolated'), [{ expect: 'Violated' }], 'bad'],
    [verdict('Errored', 'Inconclusive'), [UNJUDGED, BROKE], 'bad'],
    [verdict('Aborted', 'Aborted'), [{ expect: 'Violated' }], 'none'],
  ] as const)('is coloured by what was found: %j, %j, %s', (end, scenarios, tone) => {
    const report = reportWith(end, scenarios);
    expect(report.tone).toBe(tone);
    expect(report.advice.length).toBeGreaterThan(0);
  });

  it('claims no absence of a weakness if callers under their limit were not admitted', () => {
    const end = verdict('Succeeded', 'ExpectationsMet');
    const closed = (serverErrors: number) =>
      reportWith(end, [
        {
          ...HELD,
          summary: 'FailsClosed',
          evidence: ['126 of 126 requests under the limit got a server error (HTTP 5xx)'],
          measures: { notAdmitted: 126, underLimit: 126, serverErrors },
        },
      ]);
    expect(closed(0)).toMatchObject({
      tone: 'good',
      advice: [{ text: expect.stringMatching(/^126 of 126/) }],
    });
    const failing = closed(126);
    expect(failing).toMatchObject({ tone: 'none', advice: [{ scenario: 's1' }] });
    expect(failing.headline).toContain('5xx');
  });
});

describe('a report', () => {
  it('reports what is missing', () => {
    const { demo, evidence } = recordedRun();
    expect(reportOf({ demo, evidence })?.missing).toEqual([]);
    expect(reportOf({ demo, missing: 'forbidden' })?.missing[0]).toContain('forbidden');
    const part = { ...evidence, complete: false, leftOut: 'two series' };
    expect(reportOf({ demo, evidence: part })?.missing).toHaveLength(2);
  });

  it('takes no evidence of another object or run', () => {
    const { demo, evidence } = recordedRun();
    const ofAnother = { ...evidence, demo: { ...evidence.demo, uid: 'another' } };
    const ofEarlier = { ...evidence, run: { number: 7 } };
    for (const wrong of [ofAnother, ofEarlier]) {
      const report = reportOf({ demo, evidence: wrong });
      expect(report?.evidence).toBeUndefined();
      expect(report?.missing[0]).toContain('another run or object');
    }
  });
});
