import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemoStatus, ScenarioStatus } from '../../api/index.ts';
import { demoOf } from './manifest.ts';
import { summaryLines, textOf } from './text.ts';

const demo = demoOf({
  request: { method: 'GET', path: '/', headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
  healthPath: '/healthz',
  limit: { requests: 10, window: '1m', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
  instances: 3,
  login: true,
});

describe('the text of a ChaosDemo', () => {
  it('is the object, with comments that have no control characters', () => {
    const text = textOf(demo, [
      { what: 'caller', source: 'measured', because: 'header X-Api-Key' },
      { what: 'limit', source: 'given', because: '10\u001b[31m requests' },
      { what: 'health', source: 'found', because: 'GET /healthz' },
    ]);
    expect(parse(text)).toEqual(demo);
    expect(text).toMatch(/requests: 10 # given: 10/);
    expect(text).toMatch(/http:\n +# measured: header X-Api-Key\n/);
    expect(text).toMatch(/path: \/healthz # found: GET \/healthz\n/);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}]*$/u);
  });
});

describe('the summary of a run', () => {
  const summary = (phase: NonNullable<ChaosDemoStatus['phase']>, changes: Partial<ScenarioStatus>) => {
    const scenario: ScenarioStatus = { name: 'outage', type: 'StoreOutage', expect: 'Held', ...changes };
    return summaryLines({ status: { phase, scenarios: [scenario] } });
  };

  it('has the finding and the decision of each scenario', () => {
    const lines = summary('Failed', { result: 'Violated', summary: 'FailsOpen, 30 > 10' });
    expect(lines.slice(0, 3)).toEqual(['', 'Failed', '  outage: FailsOpen, 30 of 10 admitted: failed']);
    expect(lines).toHaveLength(4);
  });

  it('has no advice for a run that succeeded', () => {
    const lines = summary('Succeeded', { result: 'Held', summary: 'FailsClosed' });
    expect(lines).toEqual(['', 'Succeeded', '  outage: FailsClosed: passed']);
  });
});
