import { describe, expect, it } from 'vitest';
import { overviewOfAll, runOn } from '../../../../test/fixtures/cli/plugin/ui/serve.ts';
import { overviewPage, runPage } from './pages.ts';

const textOf = (page: string): string =>
  page
    .replace(/.*<main/s, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('the page of all ChaosDemos', () => {
  const [row] = overviewOfAll().rows;
  const pageOf = (...changes: object[]): string =>
    textOf(
      overviewPage({ ...overviewOfAll(), rows: changes.map((each) => ({ ...row!, ...each })) }, 'kubectl'),
    );

  it('has failed ones first, and sorts names by their numbers', () => {
    const page = pageOf(
      { name: 'c-10' },
      { name: 'c-9' },
      { name: 'b', phase: 'Running', endedAt: '' },
      { name: 'a', phase: 'Failed' },
    );
    expect(page.match(/ratelimiter\/\S+/g)).toEqual(
      ['a', 'b', 'c-9', 'c-10'].map((name) => `ratelimiter/${name}`),
    );
  });
});

describe('the page of one run', () => {
  const pageOf = (source: ReturnType<typeof runOn>): string =>
    textOf(runPage({ source, now: 0, kubectl: 'kubectl' }));

  it('has no figures of the status during a fault: evidence is newer', () => {
    const { demo, evidence } = runOn();
    const measures = [{ name: 'drift', value: 4711, bound: 7, unit: 'requests' }];
    const old = { measures, result: 'Violated' as const, evidence: ['4711 of 10 were admitted'] };
    const scenarios = (demo.status?.scenarios ?? []).map((one) => ({ ...one, ...old }));
    const source = {
      demo: { ...demo, status: { ...demo.status, scenarios } },
      ...(evidence && { evidence }),
    };
    expect(pageOf(source)).not.toMatch(/What was measured|What was seen|4711/);
  });
});
