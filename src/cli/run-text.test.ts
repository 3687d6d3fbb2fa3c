import { describe, expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import type { ChaosDemoStatus } from '../api/index.ts';
import { progressLines } from './run-text.ts';

const chapter = (title: string, message?: string) => ({
  title,
  state: 'Running' as const,
  startedAt: '2026-01-01T00:00:00Z',
  ...(message && { message }),
});

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
