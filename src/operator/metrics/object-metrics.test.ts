import { describe, expect, it } from 'vitest';
import { IDLE } from '../../../test/fixtures/operator/metrics/idle.ts';
import { simulatedDemo, simulatedSpec } from '../../../test/simulation/simulated-subject.ts';
import type { ChaosDemo, ChaosDemoStatus } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import { createMetrics } from './metrics.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const before = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const demo = (status?: ChaosDemoStatus, changes: Record<string, unknown> = {}): ChaosDemo => ({
  ...simulatedDemo(simulatedSpec(changes), { creationTimestamp: before(3600) }),
  ...(status && { status }),
});

const running = (startedSecondsAgo: number, more: ChaosDemoStatus = {}): ChaosDemoStatus => ({
  phase: 'Running',
  run: { number: 1, startedAt: before(startedSecondsAgo) },
  ...more,
});

const withFault = (until: string, endedAt?: string): ChaosDemoStatus => ({
  scenarios: [
    {
      name: 'stall',
      type: 'Stall',
      expect: 'Any',
      fault: { id: '1-stall-1', plannedAt: before(200), until, ...(endedAt && { endedAt }) },
    },
  ],
});

async function read(demos: ChaosDemo[], name: string): Promise<Record<string, number>> {
  const { registry } = createMetrics({ ...IDLE, demos: () => demos, now: () => NOW }, []);
  const metric = (await registry.getMetricsAsJSON()).find((each) => each.name === name);
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels)[0] ?? '', value]),
  );
}

const of = async (demos: ChaosDemo[], name: string): Promise<number | undefined> =>
  (await read(demos, name))[''];

it('objects are counted by phase, and one without a status as Pending', async () => {
  const demos = [demo(), demo({ phase: 'Pending' }), demo(running(1)), demo({ phase: 'Errored' })];
  expect(await read(demos, 'chaosdemo_objects')).toEqual({
    Pending: 2,
    Running: 1,
    Succeeded: 0,
    Failed: 0,
    Errored: 1,
    Aborted: 0,
  });
});

describe('chaosdemo_run_overdue_seconds', () => {
  const name = 'chaosdemo_run_overdue_seconds';

  it('is how far the latest run is past its deadline', async () => {
    const demos = [demo(running(590)), demo(running(700)), demo(running(630))];
    expect(await of(demos, name)).toBe(100);
    expect(await of(demos.slice(0, 1), name)).toBe(0);
    expect(await of([], name)).toBe(0);
  });
});

describe('chaosdemo_fault_overdue_seconds', () => {
  const name = 'chaosdemo_fault_overdue_seconds';

  it('is how long a fault should have ended, as long as no status says that it has', async () => {
    expect(await of([demo(running(300, withFault(before(90))))], name)).toBe(90);
    expect(await of([demo(running(300, withFault(before(-5))))], name)).toBe(0);
    expect(await of([demo(running(300, withFault(before(90), before(91))))], name)).toBe(0);
  });
});

it('an object that only another finalizer still holds is not reported as late', async () => {
  const gone = demo(running(5000, withFault(before(90))));
  Object.assign(gone.metadata, { deletionTimestamp: before(60), finalizers: ['example.com/theirs'] });
  const names = ['chaosdemo_run_overdue_seconds', 'chaosdemo_fault_overdue_seconds'];
  expect(await Promise.all(names.map((name) => of([gone], name)))).toEqual([0, 0]);
  gone.metadata.finalizers?.push(FINALIZER);
  expect(await Promise.all(names.map((name) => of([gone], name)))).toEqual([4400, 90]);
});

it('a forged status does not break the metrics', async () => {
  const forged = [
    demo({ phase: 'Running', run: { number: 1, startedAt: 'yesterday' } }),
    demo(running(1, withFault('never'))),
    demo(running(1), { activeDeadline: '1m', pace: { dwell: '1s' } }),
  ];
  // A deadline that is none: an API server with another schema would have let it through.
  (forged[2] as ChaosDemo).spec.activeDeadline = 'soon';
  expect(await of(forged, 'chaosdemo_run_overdue_seconds')).toBe(0);
  expect(await of(forged, 'chaosdemo_fault_overdue_seconds')).toBe(0);
});
