import { expect, it } from 'vitest';
import { createMetrics } from '../src/operator/metrics/metrics.ts';
import { IDLE } from '../test/fixtures/operator/metrics/idle.ts';
import {
  cpuSeconds,
  heapMiB,
  parseMetrics,
  queueDepth,
  reconciles,
  residentMiB,
  statusWrites,
} from './operator-metrics.ts';

it('reads what the operator really writes', async () => {
  const written = createMetrics({ ...IDLE, queueDepth: () => 3 }, []);
  for (const outcome of ['success', 'success', 'error'] as const)
    written.reconciled({ outcome, waitedMs: 0, durationMs: 5 });
  written.statusWritten('stored');
  const metrics = parseMetrics(await written.registry.metrics());
  expect(reconciles(metrics)).toBe(3);
  expect(statusWrites(metrics)).toBe(1);
  expect(queueDepth(metrics)).toBe(3);
  expect(residentMiB(metrics)).toBeGreaterThan(10);
  expect(heapMiB(metrics)).toBeGreaterThan(1);
  expect(cpuSeconds(metrics)).toBeGreaterThan(0);
});

it('does not take a series that is missing for 0', () => {
  expect(() => queueDepth(parseMetrics(''))).toThrow('workqueue_depth');
});
