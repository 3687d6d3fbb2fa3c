import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pageOf } from './page.ts';
import type { Surveyed, SurveyedRun } from './results.ts';
import type { Behaviour } from './runner/limiter.ts';
import { pageOfResults } from './stored.ts';

const withResult = (behaviour: Behaviour, measures: Readonly<Record<string, number>> = {}): SurveyedRun => ({
  at: '2026-01-02T03:04:05.000Z',
  load: 1.5,
  behaviour,
  message: 'As expected',
  scenarios: [
    {
      name: 'outage',
      result: 'Violated',
      summary: behaviour,
      measures: {
        overAdmission: 0,
        underCounted: 0,
        overCounted: 0,
        ...measures,
      },
      evidence: [
        `a-0 ${behaviour}, in time during the fault. Requests within a limit: 1 admitted. Others: 2 admitted`,
      ],
    },
    {
      name: 'burst',
      result: 'Held',
      summary: '20/20, 0/3 trials',
      measures: { admitted: 20, trials: 3, trialsViolated: 0 },
    },
  ],
});
const of = (limiter: string, variant: string, ...runs: SurveyedRun[]): Surveyed => ({
  limiter,
  variant,
  package: `${limiter} 1.0.0`,
  runs,
});

/** The row of a configuration. */
const rowOf = (page: string, variant: string): string =>
  page.split('\n').find((line) => line.startsWith(`| \`${variant}\``)) ?? '';

describe('the page of the survey', () => {
  it('shows the range of each figure over all runs', async () => {
    const runs = [withResult('Hangs', { overCounted: 3 }), withResult('Hangs', { overCounted: 9 })];
    const page = await pageOf([of('koa-ratelimit', 'default', ...runs)]);
    expect(rowOf(page, 'default')).toBe('| `default`: default settings of ioredis | **Hangs** | 0/3–9 |');
    expect(page).toContain('of 1 limiter: 1 Hangs');
    expect(page).toContain('npm run survey -- koa-ratelimit --times 3');
  });

  it('shows the outcomes that differ, with requests by outcome', async () => {
    const page = await pageOf([
      of('koa-ratelimit', 'timeout', withResult('FailsClosed'), withResult('Mixed')),
    ]);
    expect(rowOf(page, 'timeout')).toContain('| FailsClosed 1 of 2, Mixed 1 of 2 |');
    expect(page).toMatch(/- `timeout`: .*under the limit, 1 admitted\.\n/);
    expect(page).toContain('1 without one result');
  });

  it('of the stored results is docs/survey.md', async () => {
    const docs = fileURLToPath(new URL('../docs', import.meta.url));
    expect(await readFile(`${docs}/survey.md`, 'utf8')).toBe(await pageOfResults(docs));
  });
});
