/**
 * The metrics of the queue and of the reconciles, under the names that
 * controller-runtime gives them: dashboards and alerts for any operator read
 * them. No label names a namespace or an object.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ReconcileRecord } from '../../kube/controller.ts';
import type { QueueObserver } from '../../kube/work-queue.ts';

const QUEUE = { name: 'chaosdemo', controller: 'chaosdemo' };
const QUEUE_LABELS = ['name', 'controller'] as const;
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** From a millisecond to half a minute. */
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What counts reconciles, and what the queue tells. */
export interface QueueMetrics {
  readonly queue: QueueObserver;
  readonly reconciled: (result: ReconcileRecord['outcome'], durationMs: number) => void;
}

/** @param depth asked whenever the metrics are collected */
export function createQueueMetrics(registers: Registry[], depth: () => number): QueueMetrics {
  const labelNames = [...QUEUE_LABELS];
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, buckets, registers });

  const gauge: Gauge = new Gauge({
    name: 'workqueue_depth',
    help: 'ChaosDemos that wait for a worker.',
    labelNames,
    registers,
    collect: () => gauge.set(QUEUE, depth()),
  });
  const adds = counter('workqueue_adds_total', 'Times that a ChaosDemo was put into the queue.');
  const retries = counter('workqueue_retries_total', 'Times that a ChaosDemo was put off after an error.');
  const waits = histogram('workqueue_queue_duration_seconds', 'How long a ChaosDemo waited for a worker.');
  const works = histogram('workqueue_work_duration_seconds', 'How long a worker was busy with a ChaosDemo.');
  const reconciles = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles of ChaosDemos by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles of ChaosDemos that ended in an error.',
    labelNames: ['controller'],
    registers,
  });
  const times = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a reconcile took.',
    labelNames: ['controller'],
    buckets,
    registers,
  });

  const { controller } = QUEUE;
  for (const count of [adds, retries]) count.inc(QUEUE, 0);
  for (const time of [waits, works]) time.zero(QUEUE);
  for (const result of RESULTS) reconciles.inc({ controller, result }, 0);
  errors.inc({ controller }, 0);
  times.zero({ controller });

  return {
    queue: {
      added: () => adds.inc(QUEUE),
      retried: () => retries.inc(QUEUE),
      taken: (waitedMs) => waits.observe(QUEUE, waitedMs / 1000),
      done: (workedMs) => works.observe(QUEUE, workedMs / 1000),
    },
    reconciled: (result, durationMs) => {
      reconciles.inc({ controller, result });
      if (result === 'error') errors.inc({ controller });
      times.observe({ controller }, durationMs / 1000);
    },
  };
}
