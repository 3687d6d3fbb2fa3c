import { describe, expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import { demoWith } from '../../test/fixtures/cli/view/status.ts';
import type { ChaosDemoStatus } from '../api/index.ts';
import { progressLines, verdictLines } from './run-text.ts';

const chapter = (title: string, message?: string) => ({
  title,
  state: 'Running' as const,
  startedAt: '2026-01-01T00:00:00Z',
  ...(message && { message }),
});

const verdictOf = (status: ChaosDemoStatus, isVerbose = true): string[] =>
  verdictLines(demoWith(status), undefined, isVerbose);

describe('the story between two states', () => {
  it('reports a chapter once, and what is new in it', () => {
    const before: ChaosDemoStatus = { chapters: [chapter('Welcome', 'Three pods')] };
    const after: ChaosDemoStatus = {
      chapters: [chapter('Welcome', 'Three pods'), chapter('Cluster Health', 'All ready')],
    };
    expect(progressLines(before, after)).toEqual(['── 2/2  Cluster Health', '   All ready']);
    expect(progressLines(after, after)).toEqual([]);
  });
});

describe('who explains an anomaly', () => {
  const explained = (changes: Parameters<typeof diagnosisWith>[0]): ChaosDemoStatus => ({
    diagnoses: [diagnosisWith(changes)],
  });
  const byRules = explained({});
  const refused = 'These are the rules: profile "hosted": its answer was rejected: it cites s99';

  it('is said when another profile than the rules has answered', () => {
    const byModel = explained({ profile: 'hosted' });
    const line = '   ★ stall: Diagnosis by hosted: store-restarted at store';
    expect(progressLines(byRules, byModel)).toEqual([line]);
    expect(progressLines({}, byModel)).toEqual([line]);
    expect(progressLines(byModel, byModel)).toEqual([]);
    expect(progressLines({}, byRules)).toEqual([]);
  });

  it('a diagnosis by the rules names why the requested profile has none', () => {
    const fallenBack = explained({ message: refused });
    expect(progressLines(byRules, fallenBack)).toEqual([`   ★ stall: ${refused}`]);
    expect(progressLines(fallenBack, fallenBack)).toEqual([]);
  });
});

describe('the verdict', () => {
  const ended: ChaosDemoStatus = {
    phase: 'Failed',
    run: {
      number: 1,
      startedAt: '2026-01-01T00:00:00Z',
      phase: 'Failed',
      reason: 'UnexpectedViolation',
      message: 'It gave way',
    },
    scenarios: [
      {
        name: 'stall',
        type: 'StoreOutage',
        expect: 'Held',
        result: 'Violated',
        summary: 'FailsOpen, 30 > 10',
        evidence: ['a figure'],
      },
      { name: 'burst', type: 'GhostAllowing', expect: 'Held', result: 'Held', summary: '10/10' },
    ],
    diagnoses: [diagnosisWith({})],
  };

  it('is the last of at most eight lines with each finding, its cause and advice', () => {
    const lines = verdictOf(ended, false);
    expect(lines).toHaveLength(8);
    expect(lines[1]).toBe('stall: FailsOpen, 30 of 10 admitted. Gate: failed');
    expect(lines[2]).toMatch(/^ {2}Cause: store-restarted at store/);
    expect(lines.at(-1)).toBe('Verdict: Failed (UnexpectedViolation), 1/2 as expected');
  });
});
