import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { diagnosisWith } from '../../../test/fixtures/api/diagnosis.ts';
import { seriesOf } from '../../../test/fixtures/operator/metrics/series.ts';
import { simulatedDefinition, simulatedSpec } from '../../../test/simulation/simulated-subject.ts';
import type { ChaosDemoStatus, ScenarioStatus, Verdict } from '../../api/index.ts';
import { MetricTable } from './metric-table.ts';
import { createRunMetrics } from './run-metrics.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();
const chapters = () => simulatedDefinition.chapters(simulatedSpec());

function setup() {
  const registry = new Registry();
  const metrics = createRunMetrics(new MetricTable(registry), [simulatedDefinition.api]);
  /** Every series that is not 0, without the bounds of buckets. */
  const counted = async (): Promise<Record<string, number>> => {
    const series = [...(await seriesOf(registry))].filter(
      ([name, value]) => value !== 0 && !/[{,]le=/.test(name),
    );
    return Object.fromEntries(series.map(([name, value]) => [name.slice('chaosdemo_'.length), value]));
  };
  const names = async (): Promise<string[]> => [...(await seriesOf(registry)).keys()];
  return { metrics, counted, names };
}

const scenario: ScenarioStatus = {
  name: 'stall',
  type: 'Stall',
  expect: 'Violated',
  result: 'Violated',
  measures: [
    { name: 'queued', value: 12, bound: 5, unit: 'requests' },
    { name: 'detectedAfter', value: 70, unit: 'ms' },
    { name: 'recoveredAfter', value: 1500, unit: 'ms' },
  ],
  fault: {
    id: '1-stall-1',
    plannedAt: at(10),
    startedAt: at(10),
    until: at(20),
    endedAt: at(20),
    proof: 'Confirmed',
  },
};

const diagnosis = diagnosisWith();

const on: ChaosDemoStatus = {
  run: { number: 1, startedAt: at(0) },
  scenarios: [scenario],
};

const ended = (verdict: Pick<Verdict, 'phase' | 'reason'>, more: Partial<ScenarioStatus> = {}) => ({
  run: {
    number: 1,
    startedAt: at(0),
    completedAt: at(40),
    ...verdict,
    message: '',
  },
  scenarios: [{ ...scenario, ...more }],
});

const succeeded = ended({ phase: 'Succeeded', reason: 'ExpectationsMet' });

describe('the end of a run', () => {
  it('counts its verdict, its duration and all that its scenarios came to', async () => {
    const { counted, metrics } = setup();
    metrics.changed(on, succeeded, chapters);
    expect(await counted()).toEqual({
      'runs_total{verdict="Succeeded"}': 1,
      'run_duration_seconds_count{verdict="Succeeded"}': 1,
      'run_duration_seconds_sum{verdict="Succeeded"}': 40,
      'scenarios_total{type="Stall",result="Violated"}': 1,
      'fault_proofs_total{type="Stall",proof="Confirmed"}': 1,
      'detection_latency_seconds_count{type="Stall"}': 1,
      'detection_latency_seconds_sum{type="Stall"}': 0.07,
      'recovery_latency_seconds_count{type="Stall"}': 1,
      'recovery_latency_seconds_sum{type="Stall"}': 1.5,
      'queued_requests_count{type="Stall"}': 1,
      'queued_requests_sum{type="Stall"}': 12,
    });
  });

  it('ended runs count by reason if Errored, and as Superseded if replaced', async () => {
    const { counted, metrics } = setup();
    metrics.changed(on, ended({ phase: 'Errored', reason: 'BaselineFailed' }), chapters);
    metrics.changed(on, ended({ phase: 'Errored', reason: 'Superseded' }), chapters);
    metrics.changed(on, ended({ phase: 'Aborted', reason: 'Superseded' }), chapters);
    expect(await counted()).toMatchObject({
      'runs_total{verdict="Errored"}': 1,
      'runs_total{verdict="Superseded"}': 2,
      'runs_errored_total{reason="BaselineFailed"}': 1,
    });
  });

  it('metrics show no figure of a scenario without proof, and no missing result', async () => {
    const { counted, metrics } = setup();
    const { fault: _, result: __, ...open } = scenario;
    metrics.changed(
      on,
      ended({ phase: 'Errored', reason: 'Inconclusive' }, { result: 'Inconclusive' }),
      chapters,
    );
    metrics.changed(on, { ...ended({ phase: 'Aborted', reason: 'Aborted' }), scenarios: [open] }, chapters);
    const counts = await counted();
    expect(counts['queued_requests_count{type="Stall"}']).toBeUndefined();
    expect(Object.keys(counts).filter((name) => name.startsWith('scenarios_total'))).toEqual([
      'scenarios_total{type="Stall",result="Inconclusive"}',
    ]);
  });

  it('is also counted if its object is deleted, with its diagnoses', async () => {
    const { counted, metrics } = setup();
    metrics.deleted({ ...on, diagnoses: [diagnosis, { ...diagnosis, requestedAt: at(12) }] }, START + 15_000);
    metrics.deleted(succeeded, START + 60_000);
    metrics.deleted({}, START);
    expect(await counted()).toMatchObject({
      'runs_total{verdict="Aborted"}': 1,
      'run_duration_seconds_sum{verdict="Aborted"}': 15,
      'scenarios_total{type="Stall",result="Violated"}': 1,
      'diagnoses_total{profile="rules",by="profile"}': 1,
      'diagnoses_total{profile="rules",by="rules-instead"}': 1,
    });
  });
});

describe('while a run is active', () => {
  it('counts each fault once when it begins and once when it has ended', async () => {
    const { counted, metrics } = setup();
    const { endedAt: _, ...begun } = scenario.fault as NonNullable<ScenarioStatus['fault']>;
    const during = { ...on, scenarios: [{ ...scenario, fault: begun }] };
    metrics.changed({ run: { number: 1, startedAt: at(0) } }, during, chapters);
    metrics.changed(during, { ...during, message: 'watching' }, chapters);
    metrics.changed(during, on, chapters);
    metrics.changed(on, succeeded, chapters);
    expect(await counted()).toMatchObject({
      'faults_injected_total{type="Stall"}': 1,
      'faults_released_total{type="Stall"}': 1,
    });
  });

  it('counts how long a chapter took when its work is done, by what it does', async () => {
    const { counted, metrics } = setup();
    const before = ['Welcome', 'Health'].map((title) => ({ title, state: 'Completed' as const }));
    const chapter = { title: 'Setup', state: 'Running', startedAt: at(1) } as const;
    const done = { ...chapter, doneAt: at(4) };
    metrics.changed(
      { ...on, chapters: [...before, chapter] },
      { ...on, chapters: [...before, done] },
      chapters,
    );
    metrics.changed(
      { ...on, chapters: [...before, done] },
      { ...on, chapters: [...before, { ...done, state: 'Completed' }] },
      chapters,
    );
    expect(await counted()).toEqual({
      'chapter_duration_seconds_count{stage="setup"}': 1,
      'chapter_duration_seconds_sum{stage="setup"}': 3,
    });
  });
});

it('a forged status adds no figure that no run can have', async () => {
  const { counted, metrics } = setup();
  const forged = ended(
    { phase: 'Succeeded', reason: 'ExpectationsMet' },
    {
      measures: [
        { name: 'queued', value: Number.MAX_SAFE_INTEGER, unit: 'requests' },
        { name: 'detectedAfter', value: Number.MAX_SAFE_INTEGER, unit: 'ms' },
        { name: 'recoveredAfter', value: -5, unit: 'ms' },
      ],
    },
  );
  forged.run.startedAt = '0001-01-01T00:00:00Z';
  metrics.changed(on, forged, chapters);
  metrics.changed(on, { ...forged, run: { ...forged.run, startedAt: 'never' } }, chapters);
  metrics.changed(on, { ...forged, run: { ...forged.run, startedAt: at(50) } }, chapters);
  const counts = await counted();
  expect(Object.keys(counts).filter((name) => /_(sum|count)/.test(name))).toEqual([]);
  expect(counts['runs_total{verdict="Succeeded"}']).toBe(3);
});
