import { describe, expect, it } from 'vitest';
import type { ScenarioStatus } from '../api/index.ts';
import { BEHAVIOURS } from '../subjects/ratelimiter/checkers/behaviour.ts';
import { expectedText, findingOf, findingText, gateOf } from './finding.ts';

const outage = (change: Partial<ScenarioStatus>): ScenarioStatus => ({
  name: 'outage',
  type: 'StoreOutage',
  expect: 'Held',
  result: 'Held',
  ...change,
});

describe('a finding', () => {
  it('is coloured by what the limiter does, accepted or not', () => {
    const tones = BEHAVIOURS.map((summary) => [summary, findingOf(outage({ summary })).tone]);
    expect(Object.fromEntries(tones)).toEqual({
      Enforces: 'good',
      FailsClosed: 'good',
      FailsOpen: 'bad',
      Forgets: 'bad',
      Hangs: 'bad',
      Mixed: 'bad',
    });
    expect(findingOf(outage({ summary: 'FailsClosed', result: 'Violated' })).tone).toBe('none');
  });

  it('is a weakness if the limiter does not recover or return a limit afterwards', () => {
    const shut = outage({ result: 'Violated', summary: 'FailsClosed; no recovery in 5s' });
    expect([findingText(shut), findingOf(shut).tone]).toEqual(['FailsClosed, no recovery in 5s', 'bad']);
    const over = outage({ result: 'Violated', summary: 'FailsClosed, 20 of 10 in 1.2 s' });
    expect([findingText(over), findingOf(over).tone]).toEqual([
      'FailsClosed, 20 of 10 admitted in 1.2 s',
      'bad',
    ]);
    const open = outage({ result: 'Violated', summary: 'FailsOpen, 30 of 10 in 1.2 s; limit not returned' });
    expect(findingText(open)).toMatch(/^FailsOpen, 30 of 10 admitted in 1.2 s; .*not returned$/);
  });

  it('is unknown if the scenario is Inconclusive, but the measures are shown', () => {
    const open = outage({ result: 'Inconclusive', summary: 'FailsOpen, 76 of 10 in 1.2 s' });
    expect(findingText(open)).toBe('inconclusive, FailsOpen, 76 of 10 admitted in 1.2 s');
    expect([findingOf(open).tone, gateOf(open)]).toEqual(['none', 'no verdict']);
    expect(gateOf({ ...open, reason: 'BaselineViolated' })).toBe('failed');
  });

  it('has its sentence by the figures, and its measure whatever the order of names', () => {
    const evidence = ['Callers waited', '3 of 4 callers waited'];
    const hangs = outage({ summary: 'Hangs', measures: { notAdmitted: 3, underLimit: 4 }, evidence });
    expect(findingText(hangs)).toBe('Hangs, 3 of 4 callers waited');
    const drift = outage({ type: 'CounterDrift', measures: { admitted: 30, drift: 9 } });
    expect(findingText(drift)).toBe('no violation, drift 9 requests');
  });
});

it.each([
  [['Held', 'Held'], '2/2 as expected'],
  [['Held', 'Violated'], '1/2 as expected'],
  [['Held', 'Any'], '1/1 as expected, 1 without expectation'],
  [['Any', 'Any'], 'no expectation'],
] as const)('counts as expected only scenarios with an expectation: %j', (expectations, text) => {
  const scenarios = expectations.map((expect) => outage({ expect, result: 'Held' }));
  expect(expectedText({ scenarios })).toBe(text);
});
