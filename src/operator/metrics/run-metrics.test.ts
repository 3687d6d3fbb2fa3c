import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { diagnosisWith } from '../../../test/fixtures/api/diagnosis.ts';
import { seriesOf } from '../../../test/fixtures/operator/metrics/series.ts';
import { simulatedDefinition } from '../../../test/simulation/simulated-subject.ts';
import type { ChaosDemoStatus, ScenarioStatus, Verdict } from '../../api/index.ts';
import { MetricTable } from './metric-table.ts';
import { createRunMetrics } from './run-metrics.ts';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();

function setup() {
  const registry = new Registry();
  const changed = createRunMetrics(new MetricTable(registry), [simulatedDefinition.api]);
  /** Every series that is not 0. */
  const counted = async (): Promise<Record<string, number>> => {
    const series = [...(await seriesOf(registry))].filter(([, value]) => value !== 0);
    return Object.fromEntries(series.map(([name, value]) => [name.slice('chaosdemo_'.length), value]));
  };
  return { changed, counted };
}

const fault = { id: '1-stall-1', plannedAt: at(10), startedAt: at(10), until: at(20), endedAt: at(20) };

const scenario: ScenarioStatus = {
  name: 'stall',
  type: 'Stall',
  expect: 'Violated',
  result: 'Violated',
  fault,
};

const on: ChaosDemoStatus = {
  run: { number: 1, startedAt: at(0) },
  scenarios: [scenario],
};

const ended = (verdict: Pick<Verdict, 'phase' | 'reason'>, more: Partial<ScenarioStatus> = {}) => ({
  run: { number: 1, startedAt: at(0), completedAt: at(40), ...verdict },
  scenarios: [{ ...scenario, ...more }],
});

const succeeded = ended({ phase: 'Succeeded', reason: 'ExpectationsMet' });

describe('the end of a run', () => {
  it('counts its verdict and the results of its scenarios, once', async () => {
    const { changed, counted } = setup();
    changed(on, succeeded);
    changed(succeeded, { ...succeeded, message: 'other words' });
    expect(await counted()).toEqual({
      'runs_total{verdict="Succeeded"}': 1,
      'scenarios_total{type="Stall",result="Violated"}': 1,
    });
  });

  it('ended runs count by reason if Errored, and as Superseded if replaced', async () => {
    const { changed, counted } = setup();
    changed(on, ended({ phase: 'Errored', reason: 'BaselineFailed' }));
    changed(on, ended({ phase: 'Errored', reason: 'Superseded' }));
    changed(on, ended({ phase: 'Aborted', reason: 'Superseded' }));
    expect(await counted()).toMatchObject({
      'runs_total{verdict="Errored"}': 1,
      'runs_total{verdict="Superseded"}': 2,
      'runs_errored_total{reason="BaselineFailed"}': 1,
    });
  });

  it('metrics count no scenario that came to no result', async () => {
    const { changed, counted } = setup();
    const { result: _, ...open } = scenario;
    changed(on, ended({ phase: 'Errored', reason: 'Inconclusive' }, { result: 'Inconclusive' }));
    changed(on, { ...ended({ phase: 'Aborted', reason: 'Aborted' }), scenarios: [open] });
    expect(Object.keys(await counted()).filter((name) => name.startsWith('scenarios_total'))).toEqual([
      'scenarios_total{type="Stall",result="Inconclusive"}',
    ]);
  });
});

it('diagnoses of an ended run count by whether the model of the spec has answered', async () => {
  const { changed, counted } = setup();
  const instead = { message: 'These are the rules: profile "small" failed: no' };
  const diagnoses = [{}, instead, { requestedAt: at(12) }, { profile: 'small' }].map((more) => ({
    ...diagnosisWith(),
    ...more,
  }));
  changed(on, { ...on, diagnoses });
  changed(on, { ...succeeded, diagnoses });
  expect(await counted()).toMatchObject({
    'diagnoses_total{by="rules"}': 1,
    'diagnoses_total{by="rules-instead"}': 2,
    'diagnoses_total{by="model"}': 1,
  });
});

it('each fault counts once, when it begins', async () => {
  const { changed, counted } = setup();
  const { endedAt: _, ...begun } = fault;
  const during = { ...on, scenarios: [{ ...scenario, fault: begun }] };
  changed({ run: { number: 1, startedAt: at(0) } }, during);
  changed(during, { ...during, message: 'watching' });
  changed(during, on);
  changed(on, succeeded);
  expect(await counted()).toMatchObject({ 'faults_injected_total{type="Stall"}': 1 });
});
