import { expect, it } from 'vitest';
import { createMetrics } from '../src/operator/metrics.ts';
import {
  cpuSeconds,
  heapMiB,
  metric,
  parseMetrics,
  reconciles,
  residentMiB,
  statusWrites,
} from './operator-metrics.ts';

it('reads what the operator really writes', async () => {
  const written = createMetrics({ queueDepth: () => 3, activeRuns: () => 0 }, []);
  written.reconciled('success', 5);
  written.reconciled('success', 5);
  written.reconciled('error', 5);
  written.statusWritten('stored');
  const metrics = parseMetrics(await written.registry.metrics());
  expect(reconciles(metrics)).toBe(3);
  expect(statusWrites(metrics)).toBe(1);
  expect(metric(metrics, 'chaosdemo_queue_depth')).toBe(3);
  expect(residentMiB(metrics)).toBeGreaterThan(10);
  expect(heapMiB(metrics)).toBeGreaterThan(1);
  expect(cpuSeconds(metrics)).toBeGreaterThan(0);
});

it('does not take a series that is missing for 0', () => {
  expect(() => metric(parseMetrics(''), 'chaosdemo_queue_depth')).toThrow('chaosdemo_queue_depth');
});
