import { expect, it } from 'vitest';
import { recordedRun } from '../../test/fixtures/cli/report/report.ts';
import type { ScenarioStatus } from '../api/index.ts';
import { outageWords } from '../subjects/ratelimiter/scenarios/store-outage/words.ts';
import { type Report, reportOf, scenarioReports } from './report/report.ts';
import { summaryLines, verdictLines } from './run-text.ts';

const held: ScenarioStatus = { name: 'outage', type: 'StoreOutage', expect: 'Held', result: 'Held' };
const linesOf = (...scenarios: ScenarioStatus[]): string[] =>
  summaryLines(scenarioReports({ scenarios }, undefined)).flat();

it('findings have columns for mark, name, finding and gate, and the figure last', () => {
  const figures = { measures: { overAdmission: 20 }, bounds: { overAdmission: 10 } };
  const burst: ScenarioStatus = { ...held, name: 'a-burst', result: 'Violated', ...figures };
  expect(linesOf({ ...burst, expect: 'Violated' })[0]).toMatch(/^• a-burst  violation  Gate: passed, /);
  expect(linesOf({ ...held, summary: 'Enforces' }, burst)).toEqual([
    '✓ outage   Enforces   Gate: passed',
    '✗ a-burst  violation  Gate: failed  over admission 20 requests, at most 10 allowed',
  ]);
});

it('a finding names what was not checked, unless it is a violation', () => {
  const evidence = [outageWords({ code: 'ReturnNotChecked', why: 'of --quick' } as { code: string })];
  expect(linesOf({ ...held, evidence })[1]).toMatch(/^ {4}\S.* not checked: of --quick$/);
  expect(linesOf({ ...held, result: 'Violated', evidence })).toHaveLength(1);
});

it('the end of a run names where its evidence is, if a scenario ran', () => {
  const { demo } = recordedRun();
  const linesWith = (...scenarios: ScenarioStatus[]): number => {
    const report = reportOf({ demo: { ...demo, status: { ...demo.status, scenarios } } }) as Report;
    return verdictLines(report).filter((line) => line.includes('--report-dir')).length;
  };
  expect([linesWith(held), linesWith({ ...held, result: undefined })]).toEqual([1, 0]);
});
