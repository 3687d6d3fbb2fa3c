import { describe, expect, it } from 'vitest';
import { IDLE } from '../../../test/fixtures/operator/metrics/idle.ts';
import { seriesOf } from '../../../test/fixtures/operator/metrics/series.ts';
import { simulatedDefinition } from '../../../test/simulation/simulated-subject.ts';
import { createMetrics as create, type MetricSources } from './metrics.ts';

const createMetrics = (sources: Partial<MetricSources> = {}) =>
  create({ ...IDLE, ...sources }, [simulatedDefinition.api]);

/** The counted metrics, without those of the process. */
async function read({ registry }: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const series = [...(await seriesOf(registry))];
  return new Map(series.filter(([name]) => !/^(process|nodejs)_/.test(name)));
}

describe('createMetrics', () => {
  it('starts every series at 0', async () => {
    const series = await read(createMetrics());
    for (const name of [
      'controller_runtime_reconcile_total{controller="chaosdemo",result="error"}',
      'chaosdemo_runs_total{verdict="Superseded"}',
      'chaosdemo_faults_injected_total{type="Stall"}',
      'chaosdemo_scenarios_total{type="Surge",result="Inconclusive"}',
    ]) {
      expect([name, series.get(name)]).toEqual([name, 0]);
    }
    expect([...series.values()].every((value) => value === 0)).toBe(true);
  });

  it('counts what waits in the queue under the names that every operator has', async () => {
    const metrics = createMetrics({ queueDepth: () => 4, waitingRuns: () => 2 });
    metrics.reconciled({ outcome: 'error', waitedMs: 300, durationMs: 20 });
    const series = await read(metrics);
    const labels = 'name="chaosdemo",controller="chaosdemo"';
    expect(series.get(`workqueue_depth{${labels}}`)).toBe(4);
    expect(series.get(`workqueue_queue_duration_seconds_sum{${labels}}`)).toBeCloseTo(0.3);
    const bucket = 'le="0.025",controller="chaosdemo"';
    expect(series.get(`controller_runtime_reconcile_time_seconds_bucket{${bucket}}`)).toBe(1);
    expect(series.get('chaosdemo_runs_waiting')).toBe(2);
  });

  it('metrics get no series for rare codes, and none for requests of others', async () => {
    const metrics = createMetrics();
    const before = await read(metrics);
    for (let status = 100; status < 1000; status++) metrics.requested('GET', status);
    metrics.requested('BREW', 200);
    metrics.requested('GET');
    const series = await read(metrics);
    expect([...series.keys()]).toEqual([...before.keys()]);
    const counts = ['404', '4xx', '<error>'].map((code) =>
      series.get(`rest_client_requests_total{method="GET",code="${code}"}`),
    );
    expect(counts).toEqual([1, 91, 1]);
  });
});
