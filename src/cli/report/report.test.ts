import { describe, expect, it } from 'vitest';
import type { ScenarioStatus, Verdict } from '../../api/index.ts';
import { recordedRun } from './report.fixture.ts';
import { type Report, reportOf } from './report.ts';

const verdict = (phase: Verdict['phase'], reason: Verdict['reason']): Verdict => ({
  phase,
  reason,
  message: 'why',
});

/** The report of a run whose scenarios ended so. */
function reportWith(
  end: Verdict,
  scenarios: readonly Pick<ScenarioStatus, 'expect' | 'result'>[],
  dryRun = false,
): Report {
  const { demo } = recordedRun();
  const [first] = demo.status?.scenarios ?? [];
  const status = {
    ...demo.status,
    run: { number: 1, startedAt: '2026-01-01T00:00:00Z', verdict: end, ...(dryRun && { dryRun }) },
    scenarios: scenarios.map((one, i) => ({ type: first?.type ?? '', name: `s${i + 1}`, ...one })),
    diagnoses: [],
  };
  const report = reportOf({ demo: { ...demo, status } });
  if (!report) throw new Error('no report');
  return report;
}

const BROKE = { expect: 'Detected', result: 'Detected' } as const;
const HELD = { expect: 'NotDetected', result: 'NotDetected' } as const;
const UNMET = { expect: 'NotDetected', result: 'Detected' } as const;
const UNJUDGED = { expect: 'Detected', result: 'Inconclusive' } as const;

describe('the verdict in one sentence', () => {
  it.each([
    ['both held', verdict('Succeeded', 'ExpectationsMet'), [HELD, HELD], 'good', 'held in both scenarios'],
    [
      'one broke',
      verdict('Succeeded', 'ExpectationsMet'),
      [BROKE],
      'good',
      'broke what must hold in the one scenario',
    ],
    [
      'one of each',
      verdict('Succeeded', 'ExpectationsMet'),
      [BROKE, HELD],
      'good',
      'held in s2, and broke what must hold in s1',
    ],
    [
      'one unmet',
      verdict('Failed', 'UnexpectedAnomaly'),
      [UNMET, HELD],
      'bad',
      '1 of 2 scenarios ended otherwise than expected: s1 broke, against the expectation',
    ],
    ['not judged', verdict('Errored', 'Inconclusive'), [UNJUDGED, BROKE], 'none', 'No verdict'],
    [
      'stopped',
      verdict('Aborted', 'Aborted'),
      [{ expect: 'Detected' }],
      'none',
      'the run was stopped (Aborted)',
    ],
  ] as const)('says what became of it: %s', (_, end, scenarios, tone, sentence) => {
    const report = reportWith(end, scenarios);
    expect(report.headline).toContain(sentence);
    expect(report.tone).toBe(tone);
    expect(report.advice.length).toBeGreaterThan(0);
  });

  it('says what was judged before the run was stopped', () => {
    const aborted = verdict('Aborted', 'Aborted');
    expect(reportWith(aborted, [BROKE, UNJUDGED, { expect: 'Detected' }]).headline).toBe(
      'No verdict: the run was stopped (Aborted). Judged before that: s1 broke, as expected.',
    );
    expect(reportWith(aborted, [UNMET, HELD]).headline).toBe(
      'No verdict: the run was stopped (Aborted). Judged before that: s1 broke, against the expectation; s2 held, as expected.',
    );
    expect(reportWith(aborted, [{ expect: 'Detected' }]).headline).toContain('before it could judge');
  });

  it('speaks of no expectation where either result will do', () => {
    const end = verdict('Succeeded', 'ExpectationsMet');
    const { headline, scenarios } = reportWith(end, [{ expect: 'Any', result: 'Detected' }]);
    expect(headline).toBe('Succeeded: Rate Limiter broke what must hold in the one scenario.');
    expect(scenarios[0]?.outcome).toBe('broke, where either will do');
  });

  it('does not take a dry run for a success', () => {
    const report = reportWith(verdict('Succeeded', 'DryRunPassed'), [{ expect: 'Detected' }], true);
    expect(report.tone).toBe('none');
    expect(report.headline).toContain('Nothing was tested');
  });
});

describe('a report', () => {
  it('is of a run that has ended', () => {
    const { demo } = recordedRun();
    const { status, ...unseen } = demo;
    expect(reportOf({ demo: unseen })).toBeUndefined();
    const { verdict: _, ...run } = status?.run ?? { number: 1, startedAt: '' };
    expect(reportOf({ demo: { ...demo, status: { ...status, run } } })).toBeUndefined();
  });

  it('says what is missing', () => {
    const { demo, evidence } = recordedRun();
    expect(reportOf({ demo, evidence })?.missing).toEqual([]);
    expect(reportOf({ demo, missing: 'you may not read it' })?.missing[0]).toContain('you may not read it');
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

  it('says of what was detected what to do, as the diagnosis does', () => {
    const report = reportOf(recordedRun());
    expect(report?.scenarios.map(({ outcome }) => outcome)).toEqual([
      'broke, as expected',
      'broke, as expected',
    ]);
    expect(report?.advice.map(({ scenario }) => scenario)).toEqual(['counter-drift', 'ghost-allowing']);
    expect(report?.took).toMatch(/^\d+s$/);
  });
});
