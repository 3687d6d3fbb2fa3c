import { expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import type { ChaosDemoStatus } from '../api/index.ts';
import { progressLines, summaryLines } from './run-text.ts';

const chapter = (title: string, message?: string) => ({
  title,
  state: 'Running' as const,
  startedAt: '2026-01-01T00:00:00Z',
  ...(message && { message }),
});

it('the story between two states reports a chapter once, and what is new in it', () => {
  const before: ChaosDemoStatus = { chapters: [chapter('Welcome', 'Three pods')] };
  const after: ChaosDemoStatus = {
    chapters: [chapter('Welcome', 'Three pods'), chapter('Cluster Health', 'All ready')],
  };
  expect(progressLines(before, after)).toEqual(['── 2/2  Cluster Health', '   All ready']);
  expect(progressLines(after, after)).toEqual([]);
});

it('the cause of a finding has the reason if the requested profile gave none', () => {
  const refused = 'These are the rules: profile "hosted": its answer was rejected: it cites s99';
  const scenario = { name: 'stall', type: 'CounterDrift', expect: 'Held', result: 'Violated' } as const;
  const diagnosis = { ...diagnosisWith({ message: refused }), citations: [], missing: '' };
  expect(summaryLines(scenario, diagnosis)).toContain(`  ${refused}`);
  expect(summaryLines(scenario, { ...diagnosisWith({}), citations: [], missing: '' })).toHaveLength(3);
});
