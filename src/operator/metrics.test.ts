import { describe, expect, it } from 'vitest';
import { createMetrics as create, type MetricSources } from './metrics.ts';

const createMetrics = (sources: MetricSources) => create(sources, ['Stall', 'Surge']);

async function read(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const text = await metrics.registry.metrics();
  const lines = text.split('\n').filter((line) => /^(chaosdemo|workqueue|controller_runtime)_/.test(line));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe('createMetrics', () => {
  it('starts every series at 0', async () => {
    const series = await read(
      createMetrics({ queueDepth: () => 0, activeRuns: () => 0, waitingRuns: () => 0 }),
    );
    for (const name of [
      'controller_runtime_reconcile_total{controller="chaosdemo",result="error"}',
      'controller_runtime_reconcile_time_seconds_count{controller="chaosdemo"}',
      'controller_runtime_reconcile_errors_total{controller="chaosdemo"}',
      'workqueue_adds_total{name="chaosdemo",controller="chaosdemo"}',
      'workqueue_queue_duration_seconds_count{name="chaosdemo",controller="chaosdemo"}',
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
    const metrics = createMetrics({ queueDepth: () => 0, activeRuns: () => 0, waitingRuns: () => 0 });
    metrics.reconciled('success', 30);
    metrics.reconciled('error', 700);
    metrics.runEnded('Failed');
    metrics.statusWritten('conflict');
    metrics.faultInjected('Stall');
    metrics.faultReleased('Surge');
    metrics.watchRestarted();
    metrics.setLeader(true);
    const series = await read(metrics);
    const reconciles = 'controller_runtime_reconcile';
    expect(series.get(`${reconciles}_total{controller="chaosdemo",result="success"}`)).toBe(1);
    expect(series.get(`${reconciles}_total{controller="chaosdemo",result="error"}`)).toBe(1);
    expect(series.get(`${reconciles}_errors_total{controller="chaosdemo"}`)).toBe(1);
    expect(series.get(`${reconciles}_time_seconds_bucket{le="0.05",controller="chaosdemo"}`)).toBe(1);
    expect(series.get(`${reconciles}_time_seconds_sum{controller="chaosdemo"}`)).toBeCloseTo(0.73);
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

  it('counts what waits in the queue under the names that every operator has', async () => {
    const metrics = createMetrics({ queueDepth: () => 4, activeRuns: () => 0, waitingRuns: () => 2 });
    metrics.queue.added();
    metrics.queue.retried();
    metrics.queue.taken(300);
    metrics.queue.done(20);
    const series = await read(metrics);
    const labels = 'name="chaosdemo",controller="chaosdemo"';
    expect(series.get(`workqueue_depth{${labels}}`)).toBe(4);
    expect(series.get(`workqueue_adds_total{${labels}}`)).toBe(1);
    expect(series.get(`workqueue_retries_total{${labels}}`)).toBe(1);
    expect(series.get(`workqueue_queue_duration_seconds_sum{${labels}}`)).toBeCloseTo(0.3);
    expect(series.get(`workqueue_work_duration_seconds_bucket{le="0.025",${labels}}`)).toBe(1);
    expect(series.get('chaosdemo_runs_waiting')).toBe(2);
  });

  it('opens no series for a type that no subject registers', async () => {
    const metrics = createMetrics({ queueDepth: () => 0, activeRuns: () => 0, waitingRuns: () => 0 });
    metrics.faultInjected('Elsewhere');
    metrics.faultReleased('Elsewhere');
    expect(await metrics.registry.metrics()).not.toContain('Elsewhere');
  });

  it('asks for queue depth and active runs at the moment of reading', async () => {
    let depth = 1;
    const metrics = createMetrics({ queueDepth: () => depth, activeRuns: () => 20, waitingRuns: () => 0 });
    const name = 'workqueue_depth{name="chaosdemo",controller="chaosdemo"}';
    expect((await read(metrics)).get(name)).toBe(1);
    depth = 7;
    const series = await read(metrics);
    expect(series.get(name)).toBe(7);
    expect(series.get('chaosdemo_runs_active')).toBe(20);
  });

  it('serves the metrics of the process, and shares nothing between two registries', async () => {
    const first = createMetrics({ queueDepth: () => 0, activeRuns: () => 0, waitingRuns: () => 0 });
    const second = createMetrics({ queueDepth: () => 0, activeRuns: () => 0, waitingRuns: () => 0 });
    first.runEnded('Succeeded');
    expect(await first.registry.metrics()).toContain('process_resident_memory_bytes');
    expect((await read(second)).get('chaosdemo_runs_total{verdict="Succeeded"}')).toBe(0);
  });
});
