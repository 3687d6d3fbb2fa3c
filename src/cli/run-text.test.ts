import { expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import type { ChaosDemoStatus } from '../api/index.ts';
import { scenarioReports } from './report/report.ts';
import { progressLines, summaryLines } from './run-text.ts';

const chapter = (title: string, message?: string) => ({
  title,
  state: 'Running' as const,
  startedAt: '2026-01-01T00:00:00Z',
  ...(message && { message }),
});

it('the story between two states reports what is new in a chapter, once', () => {
  const before: ChaosDemoStatus = { chapters: [chapter('Welcome', 'Three pods')] };
  const after: ChaosDemoStatus = {
    chapters: [chapter('Welcome', 'Three pods'), chapter('Cluster Health', 'All ready')],
  };
  expect(progressLines(before, after)).toEqual(['   All ready']);
  expect(progressLines(after, after)).toEqual([]);
});

it('the cause of a finding has the reason if the requested profile gave none', () => {
  const refused = 'These are the rules: profile "hosted": its answer was rejected: it cites s99';
  const scenario = { name: 'stall', type: 'CounterDrift', expect: 'Held', result: 'Violated' } as const;
  const linesOf = (more: object): string[] => {
    const diagnoses = [diagnosisWith({ scenario: scenario.name, ...more })];
    return scenarioReports({ scenarios: [scenario], diagnoses }, undefined).flatMap(summaryLines);
  };
  expect(linesOf({ message: refused })).toContain(`  ${refused}`);
  expect(linesOf({})).toHaveLength(3);
});
