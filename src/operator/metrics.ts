/**
 * What the operator counts of itself, in a registry of its own. Labels take
 * values of closed sets only, never names of objects: the number of series stays
 * the same however many ChaosDemos there are.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ReconcileRecord } from '../kube/controller.ts';
import type { QueueObserver } from '../kube/work-queue.ts';
import { createDiagnosisMetrics, type DiagnosisMetrics } from './diagnosis-metrics.ts';
import { createQueueMetrics } from './queue-metrics.ts';

/** How a run can end, as the label `verdict`. */
export const VERDICTS = ['Succeeded', 'Failed', 'Errored', 'Aborted', 'Superseded'] as const;
const WRITE_RESULTS = ['stored', 'conflict', 'rejected', 'failed'] as const;

type OneOf<Values extends readonly string[]> = Values[number];

export interface OperatorMetrics {
  /** Serves what was counted, default metrics of the process included. */
  registry: Registry;
  /** Counts one reconcile and the time it took. */
  reconciled(result: ReconcileRecord['outcome'], durationMs: number): void;
  /** What is counted of diagnoses. */
  readonly diagnoses: DiagnosisMetrics;
  /** What the queue of ChaosDemos tells of its keys. */
  readonly queue: QueueObserver;
  runEnded(verdict: OneOf<typeof VERDICTS>): void;
  /** Counts one attempt to write a status. */
  statusWritten(result: OneOf<typeof WRITE_RESULTS>): void;
  /** @param type a scenario type; one that no subject registers is not counted, since labels are a closed set */
  faultInjected(type: string): void;
  /** @param type as of `faultInjected` */
  faultReleased(type: string): void;
  /** A watch on the API server failed or expired and was begun again. */
  watchRestarted(): void;
  setLeader(leads: boolean): void;
}

/** Asked whenever the metrics are collected. */
export interface MetricSources {
  /** Objects that wait for a worker. */
  queueDepth: () => number;
  /** Runs that are on. */
  activeRuns: () => number;
  /** ChaosDemos that wait for room to begin a run. */
  waitingRuns: () => number;
}

/**
 * Makes the registry and everything in it; every series starts at 0, so that a rate over it is right from the start.
 * @param faultTypes the scenario types of the registered subjects: the values of the label `type`
 * @param profiles those that explain what was detected, besides the rules: the values of the label `profile`
 */
export function createMetrics(
  sources: MetricSources,
  faultTypes: readonly string[],
  profiles: readonly string[] = [],
): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const { queue, reconciled } = createQueueMetrics(registers, sources.queueDepth);
  const runs = new Counter({
    name: 'chaosdemo_runs_total',
    help: 'Runs that have ended, by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const writes = new Counter({
    name: 'chaosdemo_status_writes_total',
    help: 'Attempts to write a status: stored, conflict (somebody wrote first), rejected by the API server, failed.',
    labelNames: ['result'],
    registers,
  });
  const injected = new Counter({
    name: 'chaosdemo_faults_injected_total',
    help: 'Faults injected, by type of scenario.',
    labelNames: ['type'],
    registers,
  });
  const released = new Counter({
    name: 'chaosdemo_faults_released_total',
    help: 'Faults that a probe has seen end, by type of scenario.',
    labelNames: ['type'],
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
  const gauges: [name: string, help: string, read: () => number][] = [
    ['chaosdemo_runs_active', 'Runs that are on.', sources.activeRuns],
    [
      'chaosdemo_runs_waiting',
      'ChaosDemos that wait until fewer runs are on (reason TooManyRuns).',
      sources.waitingRuns,
    ],
  ];
  for (const [name, help, read] of gauges) {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  }

  for (const result of WRITE_RESULTS) writes.inc({ result }, 0);
  for (const verdict of VERDICTS) runs.inc({ verdict }, 0);
  const types = new Set(faultTypes);
  for (const type of types) {
    injected.inc({ type }, 0);
    released.inc({ type }, 0);
  }

  return {
    registry,
    reconciled,
    queue,
    diagnoses: createDiagnosisMetrics(registers, profiles),
    runEnded: (verdict) => runs.inc({ verdict }),
    statusWritten: (result) => writes.inc({ result }),
    faultInjected: (type) => {
      if (types.has(type)) injected.inc({ type });
    },
    faultReleased: (type) => {
      if (types.has(type)) released.inc({ type });
    },
    watchRestarted: () => restarts.inc(),
    setLeader: (leads) => leader.set(leads ? 1 : 0),
  };
}
