/**
 * Gauges of all ChaosDemos, read from the cache when the metrics are collected. Every replica has that cache and
 * reports the same, leader or not, so a run without an operator working on it is reported too.
 */
import { Gauge } from 'prom-client';
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER, PHASES } from '../../api/index.ts';
import { isRunActive, runDeadline } from '../../engine/fault-times.ts';
import { ms } from '../../engine/time.ts';
import type { MetricTable } from './metric-table.ts';

export interface ObjectSources {
  /** All objects in the cache. */
  readonly demos: () => Iterable<ChaosDemo>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Registers the gauges. */
export function createObjectMetrics(table: MetricTable, { demos, now }: ObjectSources): void {
  const objects: Gauge = new Gauge({
    name: 'chaosdemo_objects',
    help: 'ChaosDemos by phase. Every replica reports the same: take the maximum.',
    labelNames: ['phase'],
    registers: [table.registry],
    collect() {
      const counts = new Map<string, number>(PHASES.map((phase) => [phase, 0]));
      for (const { status } of demos()) {
        // An object that no operator has seen yet has none.
        const phase = status?.phase ?? 'Pending';
        const count = counts.get(phase);
        if (count !== undefined) counts.set(phase, count + 1);
      }
      for (const [phase, count] of counts) objects.set({ phase }, count);
    },
  });
  const late = (name: string, help: string, since: (demo: ChaosDemo) => number[]): void =>
    table.gauge(name, help, () => {
      let most = 0;
      for (const demo of demos()) {
        if (!isRunActive(demo.status) || isReleased(demo)) continue;
        for (const due of dueTimes(demo, since)) most = Math.max(most, (now() - due) / 1000);
      }
      return most;
    });
  late(
    'chaosdemo_run_overdue_seconds',
    'Time since the deadline of an active run passed, of the run that is latest; 0: none is late. Every replica reports the same: take the maximum.',
    ({ spec, status = {} }) => [runDeadline(status, spec, now())],
  );
  late(
    'chaosdemo_fault_overdue_seconds',
    'Time since the latest end of a fault passed that no status reports as ended, of the fault that is latest; 0: none is. Every replica reports the same: take the maximum.',
    ({ status = {} }) => openFaults(status).map(({ until }) => ms(until)),
  );
}

/** Whether it is being deleted, and only other finalizers still hold it. */
function isReleased({ metadata: { deletionTimestamp, finalizers = [] } }: ChaosDemo): boolean {
  return deletionTimestamp !== undefined && !finalizers.includes(FINALIZER);
}

function openFaults({ scenarios = [] }: ChaosDemoStatus) {
  return scenarios.flatMap(({ fault }) => (fault && fault.endedAt === undefined ? [fault] : []));
}

/** Drops invalid times, as in an object written by another client: one of these must not break the page. */
function dueTimes(demo: ChaosDemo, since: (demo: ChaosDemo) => number[]): number[] {
  try {
    return since(demo).filter(Number.isFinite);
  } catch {
    return [];
  }
}
