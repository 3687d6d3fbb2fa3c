import { describe, expect, it } from 'vitest';
import { REASON_GROUPS, type ScenarioStatus, type Verdict } from '../api/index.ts';
import type { Context } from './context.ts';
import { asExpected, countAsExpected, phaseOfStop, resultOf, verdictOf, verdictOfStop } from './verdict.ts';

type Expect = ScenarioStatus['expect'];
type Result = ScenarioStatus['result'];

const scenario = (
  expected: Expect,
  result?: Result,
  change: Partial<ScenarioStatus> = {},
): ScenarioStatus => ({
  name: 'surge',
  type: 'Surge',
  expect: expected,
  ...(result && { result }),
  ...change,
});
const subject = {
  api: { faults: [{ type: 'Surge', finding: (result: string, summary: string) => `${result} ${summary}` }] },
} as unknown as Context['subject'];
const contextOf = (scenarios: ScenarioStatus[]) => ({ draft: { scenarios }, subject });
const verdict = (...scenarios: ScenarioStatus[]) => verdictOf(contextOf(scenarios), 'All restored');

describe('the verdict of a run', () => {
  it.each<[Expect, Result, boolean]>([
    ['Violated', 'Violated', true],
    ['Violated', 'Held', false],
    ['Held', 'Held', true],
    ['Held', 'Violated', false],
    ['Any', 'Violated', true],
    ['Any', 'Held', true],
    ['Any', 'Inconclusive', false],
    ['Violated', 'Inconclusive', false],
    ['Any', undefined, false],
  ])('a scenario with expect %s and result %s is as expected: %s', (expected, result, met) => {
    expect(asExpected(scenario(expected, result))).toBe(met);
  });

  const met = scenario('Violated', 'Violated');
  const missed = scenario('Violated', 'Held');
  const unexpected = scenario('Held', 'Violated');
  const open = scenario('Any', 'Inconclusive');
  const early = scenario('Held', 'Inconclusive', { reason: 'BaselineViolated' });
  const none = scenario('Held');

  it.each<[string, ScenarioStatus[], string, string]>([
    ['met expectations', [met, met], 'Succeeded', 'ExpectationsMet'],
    ['no expectation', [scenario('Any', 'Violated')], 'Succeeded', 'NoExpectation'],
    ['a missing anomaly', [met, missed], 'Failed', 'ViolationNotReproduced'],
    ['an unexpected anomaly', [met, unexpected], 'Failed', 'UnexpectedViolation'],
    ['an inconclusive scenario', [met, open], 'Errored', 'Inconclusive'],
    ['a scenario without a result', [met, none], 'Errored', 'Inconclusive'],
    [
      'an unexpected anomaly and an inconclusive scenario',
      [open, unexpected],
      'Failed',
      'UnexpectedViolation',
    ],
    ['a limit that was exceeded before the fault', [met, open, early], 'Failed', 'BaselineViolated'],
    ['an anomaly, and one before the fault', [early, unexpected], 'Failed', 'UnexpectedViolation'],
    ['a missing anomaly and an inconclusive scenario', [missed, open], 'Errored', 'Inconclusive'],
    ['an unexpected and a missing anomaly', [missed, unexpected], 'Failed', 'UnexpectedViolation'],
  ])('a run with %s has its verdict', (_, scenarios, phase, reason) => {
    expect(verdict(...scenarios)).toMatchObject({ phase, reason });
  });

  it.each<[Expect, Result, RegExp]>([
    ['Violated', 'Violated', /Expected by this demo/],
    ['Held', 'Held', /As expected/],
    ['Any', 'Violated', /No expectation was set/],
  ])('leads with the finding, and then states the expectation: %s, %s', (expected, result, sentence) => {
    const { message } = verdict(scenario(expected, result, { summary: '30 > 6' }));
    expect(message).toMatch(new RegExp(`^surge: ${result} 30 > 6\\. ${sentence.source}\\. All restored$`));
  });
});

describe('a run that ended early', () => {
  const errored = { reason: 'DeadlineExceeded', message: 'too late' };
  const ended = (why: Parameters<typeof verdictOfStop>[1], ...scenarios: ScenarioStatus[]) =>
    verdictOfStop(contextOf(scenarios), why, 'All restored');

  it.each<[string, Verdict['phase']]>([
    ...REASON_GROUPS.failure.map((reason): [string, Verdict['phase']] => [reason, 'Errored']),
    ['BaselineViolated', 'Failed'],
    ...['Aborted', 'Superseded', 'Deleted', 'KillSwitch', 'PodsInUse', 'forged'].map(
      (reason): [string, Verdict['phase']] => [reason, 'Aborted'],
    ),
  ])('stopped for %s is %s', (reason, phase) => {
    expect(phaseOfStop(reason)).toBe(phase);
  });

  it('an unexpected anomaly that was proven before an error fails the run', () => {
    const { message, ...rest } = ended(errored, scenario('Held', 'Violated', { summary: '30 > 6' }));
    expect(rest).toEqual({ phase: 'Failed', reason: 'UnexpectedViolation' });
    for (const part of ['surge', '30 > 6', 'DeadlineExceeded', 'too late', 'All restored'])
      expect(message).toContain(part);
  });
});

describe('the figures of all scenarios', () => {
  it('count those that ended as expected', () => {
    const scenarios = [scenario('Violated', 'Violated'), scenario('Any', 'Inconclusive'), scenario('Any')];
    expect(countAsExpected({ scenarios })).toBe('1/3');
    expect(countAsExpected({})).toBe('0/0');
  });

  it.each<[string, ScenarioStatus[]]>([
    ['', []],
    ['', [scenario('Held'), scenario('Held')]],
    ['surge held', [scenario('Held', 'Held')]],
    ['surge violated (30 > 6)', [scenario('Held', 'Violated', { summary: '30 > 6' }), scenario('Held')]],
    [
      'surge inconclusive; stall violated (30 > 6)',
      [scenario('Any', 'Inconclusive'), scenario('Any', 'Violated', { name: 'stall', summary: '30 > 6' })],
    ],
  ])('read %j in the column RESULT', (result, scenarios) => {
    expect(resultOf({ scenarios })).toBe(result);
  });
});
