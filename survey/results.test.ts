import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderOfTest } from '../test/kit/folder.ts';
import { agreed, ResultsFile, readResults, runsWithResult, type SurveyedRun } from './results.ts';

const run = (behaviour?: SurveyedRun['behaviour'], message = ''): SurveyedRun => ({
  at: '2026-01-02T03:04:05.000Z',
  load: 1.5,
  ...(behaviour && { behaviour }),
  message,
  scenarios: [],
});
const koa = { limiter: 'koa-ratelimit', variant: 'default', package: 'koa-ratelimit 6.0.0' };
const slowapi = { limiter: 'slowapi', variant: 'timeout', package: 'slowapi 0.1.10' };

it.each([
  [['Hangs', 'Hangs'], 'Hangs'],
  [['Hangs', undefined], 'Hangs'],
  [['Hangs', 'Mixed'], undefined],
  [[undefined], undefined],
  [[], undefined],
] as const)('what runs agree on %j: %s', (behaviours, expected) => {
  const runs = behaviours.map((behaviour) => run(behaviour));
  expect(agreed({ runs })).toBe(expected);
  expect(runsWithResult({ runs })).toHaveLength(behaviours.filter(Boolean).length);
});

it('the file of results has each run at once, even if runs are added concurrently', async () => {
  const path = join(folderOfTest(), 'survey.json');
  const results = new ResultsFile(path, await readResults(path));
  await Promise.all([
    results.add(slowapi, run('Mixed')),
    results.add(koa, run('Hangs')),
    results.add(koa, run(undefined, 'no baseline')),
  ]);
  expect(await readResults(path)).toEqual([
    { ...koa, runs: [run('Hangs'), run(undefined, 'no baseline')] },
    { ...slowapi, runs: [run('Mixed')] },
  ]);
  expect(await readFile(path, 'utf8')).toMatch(/\n$/);
});
