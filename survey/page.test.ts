import { describe, expect, it } from 'vitest';
import { pageOf } from './page.ts';
import type { Surveyed, SurveyedRun } from './results.ts';
import type { Behaviour } from './runner/limiter.ts';

const told = (behaviour: Behaviour, measures: Readonly<Record<string, number>> = {}): SurveyedRun => ({
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
        latencyBefore: 2,
        latencyAfter: 4,
        overAdmission: 0,
        underCounted: 0,
        overCounted: 0,
        ...measures,
      },
      evidence: [`a-0 ${behaviour}: within the limit 1 admitted`, 'Answers took 2 ms'],
    },
    {
      name: 'burst',
      result: 'Held',
      summary: '20/20, 0/3 trials',
      measures: { admitted: 20, trials: 3, trialsViolated: 0 },
    },
  ],
});
const untold = (message: string): SurveyedRun => ({
  at: '2026-01-02T03:04:05.000Z',
  load: 1.5,
  message,
  scenarios: [],
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
  it('tells of each configuration what all its runs say, as ranges', async () => {
    const runs = [
      told('Hangs', { timeToRecovery: 18, overCounted: 3 }),
      told('Hangs', { timeToRecovery: 203, overCounted: 3 }),
    ];
    const page = await pageOf([of('koa-ratelimit', 'default', ...runs)]);
    expect(rowOf(page, 'default')).toBe(
      '| `default`: default settings of ioredis | **Hangs** 2 of 2 | 2 ms, none, 4 ms | 0 | 18 to 203 ms | 0, 3 | 20 of 20 |',
    );
    expect(page).toContain('of 1 limiter: 1 Hangs');
    expect(page).toContain('npm run survey -- koa-ratelimit --times 3');
  });

  it('tells how long answers took that came before, during and after the pause', async () => {
    const runs = [told('Hangs', { latencyDuring: 3 }), told('Hangs', { latencyDuring: 203 })];
    const page = await pageOf([of('koa-ratelimit', 'default', ...runs)]);
    expect(rowOf(page, 'default')).toContain('| 2 ms, 3 to 203 ms, 4 ms |');
  });

  it('says what differed, by process', async () => {
    const page = await pageOf([of('koa-ratelimit', 'timeout', told('FailsClosed'), told('Mixed'))]);
    expect(rowOf(page, 'timeout')).toContain('| FailsClosed 1 of 2, Mixed 1 of 2 |');
    expect(page).toContain('- `timeout`: Mixed; of requests under the limit, 1 admitted\n');
    expect(page).toContain('1 without one result');
  });

  it('says why something could not be told, once', async () => {
    const why = 'No baseline:\na | b';
    const page = await pageOf([of('koa-ratelimit', 'timeout', untold(why), untold(why), told('Enforces'))]);
    expect(rowOf(page, 'timeout')).toContain('| **Enforces** 1 of 3 |');
    expect(page.split('no result: `No baseline: a | b`')).toHaveLength(2);
  });

  it('holds what documentation promises against what was seen', async () => {
    const page = await pageOf([
      of('express-rate-limit', 'default', told('Hangs')),
      of('express-rate-limit', 'fail-open', told('Hangs')),
      of('express-rate-limit', 'ioredis-timeout-fail-open', told('FailsOpen', { overAdmission: 121 })),
    ]);
    const says = (variant: string): string =>
      page.split('\n').find((line) => line.startsWith(`- \`${variant}\`: [`)) ?? '';
    expect(says('default')).toMatch(/"fail closed".*\. No error came in time, so this did not apply\.$/);
    expect(says('fail-open')).toMatch(/\. No error came in time, so this did not apply\.$/);
    expect(says('ioredis-timeout-fail-open')).toMatch(/\. Confirmed\.$/);
    expect(page).toMatch(/For 2 configurations, .*: 1 FailsOpen, 1 Hangs\./);
    expect(page).toContain('121 of about 150 sent (express-rate-limit)');
  });

  it('contradicts a promise that needs no error', async () => {
    const page = await pageOf([of('envoy-ratelimit', 'timeout', told('Hangs'))]);
    expect(page).toMatch(/^- `timeout`: .*\. \*\*Contradicted\*\*\.$/m);
  });

  it('calls a promise kept in part where most callers were let through', async () => {
    const saying = async (notAdmitted: number): Promise<string> => {
      const run = told('Mixed', { notAdmitted, underLimit: 44 });
      const page = await pageOf([of('flask-limiter', 'timeout-memory-fallback', run)]);
      return page.split('\n').find((line) => line.startsWith('- `timeout-memory-fallback`: [')) ?? '';
    };
    expect(await saying(6)).toMatch(/\. Confirmed in part\.$/);
    expect(await saying(44)).toMatch(/\. \*\*Contradicted\*\*\.$/);
  });

  it('leaves out what is no longer described', async () => {
    const page = await pageOf([
      of('koa-ratelimit', 'default', told('Hangs')),
      of('koa-ratelimit', 'no-longer', told('Enforces')),
    ]);
    expect(page).not.toContain('no-longer');
    expect(page).not.toContain('1 Enforces');
  });
});
