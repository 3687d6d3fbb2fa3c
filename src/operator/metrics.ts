/**
 * What the operator counts of itself, in a registry of its own. Labels take
 * values of closed sets only, never names of objects: the number of series stays
 * the same however many ChaosDemos there are.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How a run can end, as the label `verdict`. */
export const VERDICTS = ['Succeeded', 'Failed', 'Errored', 'Aborted', 'Superseded'] as const;
const RECONCILE_RESULTS = ['success', 'error'] as const;
const WRITE_RESULTS = ['stored', 'conflict', 'rejected', 'failed'] as const;

type OneOf<Values extends readonly string[]> = Values[number];

export interface OperatorMetrics {
  /** Serves what was counted, default metrics of the process included. */
  registry: Registry;
  /** Counts one reconcile and the time it took. */
  reconciled(result: OneOf<typeof RECONCILE_RESULTS>, durationMs: number): void;
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
}

/**
 * Makes the registry and everything in it; every series starts at 0, so that a rate over it is right from the start.
 * @param faultTypes the scenario types of the registered subjects: the values of the label `type`
 */
export function createMetrics(sources: MetricSources, faultTypes: readonly string[]): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const reconciles = new Counter({
    name: 'chaosdemo_reconciles_total',
    help: 'Reconciles of ChaosDemos by result.',
    labelNames: ['result'],
    registers,
  });
  const durations = new Histogram({
    name: 'chaosdemo_reconcile_duration_seconds',
    help: 'How long a reconcile took.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
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
    ['chaosdemo_queue_depth', 'ChaosDemos that wait for a worker.', sources.queueDepth],
    ['chaosdemo_runs_active', 'Runs that are on.', sources.activeRuns],
  ];
  for (const [name, help, read] of gauges) {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  }

  for (const result of RECONCILE_RESULTS) reconciles.inc({ result }, 0);
  for (const result of WRITE_RESULTS) writes.inc({ result }, 0);
  for (const verdict of VERDICTS) runs.inc({ verdict }, 0);
  const types = new Set(faultTypes);
  for (const type of types) {
    injected.inc({ type }, 0);
    released.inc({ type }, 0);
  }

  return {
    registry,
    reconciled: (result, durationMs) => {
      reconciles.inc({ result });
      durations.observe(durationMs / 1000);
    },
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
