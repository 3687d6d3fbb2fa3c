import { expect, it } from 'vitest';
import { diagnosisWith } from '../../test/fixtures/api/diagnosis.ts';
import { scenarioReports } from './report/report.ts';
import { summaryLines } from './run-text.ts';

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
