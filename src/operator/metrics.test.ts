import { describe, expect, it } from 'vitest';
import { createMetrics as create, type MetricSources } from './metrics.ts';

const createMetrics = (sources: MetricSources) => create(sources, ['Stall', 'Surge']);

async function read(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const text = await metrics.registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('chaosdemo_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe('createMetrics', () => {
  it('starts every series at 0', async () => {
    const series = await read(createMetrics({ queueDepth: () => 0, activeRuns: () => 0 }));
    for (const name of [
      'chaosdemo_reconciles_total{result="error"}',
      'chaosdemo_reconcile_duration_seconds_count',
      'chaosdemo_runs_total{verdict="Superseded"}',
      'chaosdemo_status_writes_total{result="rejected"}',
      'chaosdemo_faults_injected_total{type="Stall"}',
      'chaosdemo_faults_released_total{type="Surge"}',
      'chaosdemo_watch_restarts_total',
      'chaosdemo_leader',
    ]) {
      expect([name, series.get(name)]).toEqual([name, 0]);
    }
    expect([...series.values()].every((value) => value === 0)).toBe(true);
  });

  it('counts each thing under its own name and label', async () => {
    const metrics = createMetrics({ queueDepth: () => 0, activeRuns: () => 0 });
    metrics.reconciled('success', 30);
    metrics.reconciled('error', 700);
    metrics.runEnded('Failed');
    metrics.statusWritten('conflict');
    metrics.faultInjected('Stall');
    metrics.faultReleased('Surge');
    metrics.watchRestarted();
    metrics.setLeader(true);
    const series = await read(metrics);
    expect(series.get('chaosdemo_reconciles_total{result="success"}')).toBe(1);
    expect(series.get('chaosdemo_reconciles_total{result="error"}')).toBe(1);
    expect(series.get('chaosdemo_reconcile_duration_seconds_bucket{le="0.05"}')).toBe(1);
    expect(series.get('chaosdemo_reconcile_duration_seconds_sum')).toBeCloseTo(0.73);
    expect(series.get('chaosdemo_runs_total{verdict="Failed"}')).toBe(1);
    expect(series.get('chaosdemo_runs_total{verdict="Succeeded"}')).toBe(0);
    expect(series.get('chaosdemo_status_writes_total{result="conflict"}')).toBe(1);
    expect(series.get('chaosdemo_faults_injected_total{type="Stall"}')).toBe(1);
    expect(series.get('chaosdemo_faults_injected_total{type="Surge"}')).toBe(0);
    expect(series.get('chaosdemo_faults_released_total{type="Surge"}')).toBe(1);
    expect(series.get('chaosdemo_watch_restarts_total')).toBe(1);
    expect(series.get('chaosdemo_leader')).toBe(1);
    metrics.setLeader(false);
    expect((await read(metrics)).get('chaosdemo_leader')).toBe(0);
  });

  it('opens no series for a type that no subject registers', async () => {
    const metrics = createMetrics({ queueDepth: () => 0, activeRuns: () => 0 });
    metrics.faultInjected('Elsewhere');
    metrics.faultReleased('Elsewhere');
    expect(await metrics.registry.metrics()).not.toContain('Elsewhere');
  });

  it('asks for queue depth and active runs at the moment of reading', async () => {
    let depth = 1;
    const metrics = createMetrics({ queueDepth: () => depth, activeRuns: () => 20 });
    expect((await read(metrics)).get('chaosdemo_queue_depth')).toBe(1);
    depth = 7;
    const series = await read(metrics);
    expect(series.get('chaosdemo_queue_depth')).toBe(7);
    expect(series.get('chaosdemo_runs_active')).toBe(20);
  });

  it('serves the metrics of the process, and shares nothing between two registries', async () => {
    const first = createMetrics({ queueDepth: () => 0, activeRuns: () => 0 });
    const second = createMetrics({ queueDepth: () => 0, activeRuns: () => 0 });
    first.runEnded('Succeeded');
    expect(await first.registry.metrics()).toContain('process_resident_memory_bytes');
    expect((await read(second)).get('chaosdemo_runs_total{verdict="Succeeded"}')).toBe(0);
  });
});
