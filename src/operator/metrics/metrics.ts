/**
 * What the operator counts of itself, in a registry of its own. Labels take
 * values of closed sets only, never names of objects: the number of series stays
 * the same however many ChaosDemos there are.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { SubjectApi } from '../../api/index.ts';
import type { Asked } from '../../diagnosis/index.ts';
import type { ReconcileRecord } from '../../kube/controller.ts';
import type { QueueObserver } from '../../kube/work-queue.ts';
import { createObjectMetrics, type ObjectSources } from './object-metrics.ts';
import { createQuestionMetrics } from './question-metrics.ts';
import { createQueueMetrics } from './queue-metrics.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { createRunMetrics, type RunMetrics } from './run-metrics.ts';

const WRITE_RESULTS = ['stored', 'conflict', 'rejected', 'failed'] as const;

type OneOf<Values extends readonly string[]> = Values[number];

export interface OperatorMetrics {
  /** Serves what was counted, default metrics of the process included. */
  registry: Registry;
  /** Counts one reconcile and the time it took. */
  reconciled(result: ReconcileRecord['outcome'], durationMs: number): void;
  /** What the queue of ChaosDemos tells of its keys. */
  readonly queue: QueueObserver;
  /** What is counted of runs. */
  readonly runs: RunMetrics;
  /** Counts one attempt to write a status. */
  statusWritten(result: OneOf<typeof WRITE_RESULTS>): void;
  /** Counts a request to the API server; without a status no answer came. */
  requested(method: string, status?: number): void;
  /** Counts a question to a profile. */
  asked(asked: Asked): void;
  /** A watch on the API server failed or expired and was begun again. */
  watchRestarted(): void;
  /** Whether this process leads from now on. */
  setLeader(leads: boolean): void;
}

/** Asked whenever the metrics are collected. */
export interface MetricSources extends ObjectSources {
  /** Objects that wait for a worker. */
  queueDepth: () => number;
  /** Runs that are on. */
  activeRuns: () => number;
  /** ChaosDemos that wait for room to begin a run. */
  waitingRuns: () => number;
}

/** Those of a process that has nothing to do: for the reference and for tests. */
export const IDLE: MetricSources = {
  queueDepth: () => 0,
  activeRuns: () => 0,
  waitingRuns: () => 0,
  demos: () => [],
  now: () => 0,
};

/**
 * Makes the registry and everything in it; every series starts at 0, so that a rate over it is right from the start.
 * @param subjects the registered ones: their scenario types are the values of the label `type`
 * @param profiles those that explain what was detected, besides the rules: the values of the label `profile`
 */
export function createMetrics(
  sources: MetricSources,
  subjects: readonly SubjectApi[],
  profiles: readonly string[] = [],
): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const { queue, reconciled } = createQueueMetrics(registers, sources.queueDepth);
  const requested = createRequestMetrics(registers);
  const asked = createQuestionMetrics(registers, profiles);
  const runs = createRunMetrics(registers, subjects, profiles);
  createObjectMetrics(registers, sources);
  const writes = new Counter({
    name: 'chaosdemo_status_writes_total',
    help: 'Attempts to write a status: stored, conflict (somebody wrote first), rejected by the API server, failed.',
    labelNames: ['result'],
    registers,
  });
  const restarts = new Counter({
    name: 'chaosdemo_watch_restarts_total',
    help: 'Watches on the API server that failed or expired and were begun again.',
    registers,
  });
  const leader = new Gauge({
    name: 'chaosdemo_leader',
    help: '1 while this process leads.',
    registers,
  });
  const terms = new Counter({
    name: 'chaosdemo_leader_terms_total',
    help: 'Times that this process began to lead.',
    registers,
  });
  const gauges: [name: string, help: string, read: () => number][] = [
    ['chaosdemo_runs_active', 'Runs that are on, of the process that leads.', sources.activeRuns],
    [
      'chaosdemo_runs_waiting',
      'ChaosDemos that wait until fewer runs are on (reason TooManyRuns), of the process that leads.',
      sources.waitingRuns,
    ],
  ];
  for (const [name, help, read] of gauges) {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  }

  for (const result of WRITE_RESULTS) writes.inc({ result }, 0);

  return {
    registry,
    reconciled,
    queue,
    runs,
    requested,
    asked,
    statusWritten: (result) => writes.inc({ result }),
    watchRestarted: () => restarts.inc(),
    setLeader(leads) {
      leader.set(leads ? 1 : 0);
      if (leads) terms.inc();
    },
  };
}
