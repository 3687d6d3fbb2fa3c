/**
 * The operator's own metrics, in a separate registry. Labels take values of closed sets only, never names of objects:
 * the number of series does not depend on the number of ChaosDemos.
 */

import type { ReconcileRecord } from '@chaosdemo/kube-runtime';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { SubjectApi } from '../../api/index.ts';
import { MetricTable } from './metric-table.ts';
import { createObjectMetrics, type ObjectSources } from './object-metrics.ts';
import { createRunMetrics } from './run-metrics.ts';

const WRITE_RESULTS = ['stored', 'conflict', 'rejected', 'failed'] as const;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Codes with their own series; any other is counted by its class, as 4xx, so that a proxy cannot create more. */
const CODES = [200, 201, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504].map(String);
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'];

/** From a millisecond to half a minute, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type OperatorMetrics = ReturnType<typeof createMetrics>;

/** Called whenever the metrics are collected. */
export interface MetricSources extends ObjectSources {
  /** Objects that wait for a worker. */
  queueDepth: () => number;
  /** Active runs. */
  activeRuns: () => number;
  /** ChaosDemos that wait for room to begin a run. */
  waitingRuns: () => number;
}

/**
 * Creates the registry and all metrics.
 * @param subjects the registered ones: their scenario types are the values of the label `type`
 */
export function createMetrics(sources: MetricSources, subjects: readonly SubjectApi[]) {
  const registry = new Registry();
  const table = new MetricTable(registry);
  collectDefaultMetrics({ register: registry });

  const reconciled = createReconcileMetrics(table, sources.queueDepth);
  const requested = createRequestMetrics(table);
  const runChanged = createRunMetrics(table, subjects);
  createObjectMetrics(table, sources);
  const written = table.counter(
    'chaosdemo_status_writes_total',
    'Attempts to write a status: stored, conflict (another client wrote first), rejected by the API server, failed.',
    { result: WRITE_RESULTS },
  );
  let isLeader = 0;
  table.gauge('chaosdemo_leader', '1 while this process leads.', () => isLeader);
  const termBegan = table.counter(
    'chaosdemo_leader_terms_total',
    'Times that this process began to lead.',
    {},
  );
  table.gauge('chaosdemo_runs_active', 'Active runs, of the process that leads.', sources.activeRuns);
  table.gauge(
    'chaosdemo_runs_waiting',
    'ChaosDemos that wait for the limit of concurrent runs (reason TooManyRuns), of the process that leads.',
    sources.waitingRuns,
  );

  return {
    /** Includes the default metrics of the process. */
    registry,
    /** Counts what changed from one stored status to the next. */
    runChanged,
    /** Counts one reconcile, how long its key waited and how long it took. */
    reconciled,
    /** Counts a request to the API server; without a status, no response came. */
    requested,
    /** Counts one attempt to write a status. */
    statusWritten: (result: (typeof WRITE_RESULTS)[number]) => written({ result }),
    /** Whether this process leads from now on. */
    setLeader(leads: boolean) {
      isLeader = leads ? 1 : 0;
      if (leads) termBegan({});
    },
  };
}

/**
 * Counts reconciles, under the names of controller-runtime: existing dashboards and alerts for operators work with them.
 * No label names a namespace or an object.
 */
function createReconcileMetrics(table: MetricTable, depth: () => number) {
  const controller = 'chaosdemo';
  const queue = { name: 'chaosdemo', controller };
  table.gauge('workqueue_depth', 'ChaosDemos that wait for a worker.', depth, queue);
  const waited = table.histogram(
    'workqueue_queue_duration_seconds',
    'How long a ChaosDemo waited for a worker.',
    BUCKETS,
    { name: [queue.name], controller: [controller] },
  );
  const reconciled = table.counter(
    'controller_runtime_reconcile_total',
    'Reconciles of ChaosDemos by result.',
    { controller: [controller], result: ['success', 'error', 'requeue', 'requeue_after'] },
  );
  const failed = table.counter(
    'controller_runtime_reconcile_errors_total',
    'Reconciles of ChaosDemos that ended in an error.',
    { controller: [controller] },
  );
  const took = table.histogram(
    'controller_runtime_reconcile_time_seconds',
    'How long a reconcile took.',
    BUCKETS,
    { controller: [controller] },
  );
  return ({ durationMs, outcome, waitedMs }: ReconcileRecord): void => {
    waited(queue, waitedMs / 1000);
    reconciled({ controller, result: outcome });
    if (outcome === 'error') failed({ controller });
    took({ controller }, durationMs / 1000);
  };
}

/** Requests to the API server, under client-go's metric name. @returns a function that counts a request by the status of the response, or undefined if there was none */
function createRequestMetrics(table: MetricTable): (method: string, status?: number) => void {
  const counted = table.counter(
    'rest_client_requests_total',
    'Requests to the API server by method and code of the response, or its class (4xx) if the code is rare; `<error>`: no response came.',
    { method: METHODS, code: [...CODES, ...CLASSES, '<error>'] },
  );
  return (method, status) => {
    const code = status === undefined ? '<error>' : String(status);
    counted({ method, code: CODES.includes(code) || status === undefined ? code : `${code[0]}xx` });
  };
}
