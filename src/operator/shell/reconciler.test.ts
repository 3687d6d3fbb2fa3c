import type { EventRecord } from '@chaosdemo/kube-runtime';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { IDLE } from '../../../test/fixtures/operator/metrics/idle.ts';
import { FakeApiServer, keyOf } from '../../../test/simulation/fake-api.ts';
import { FakeClock } from '../../../test/simulation/fake-clock.ts';
import { FakeEvidence } from '../../../test/simulation/fake-evidence.ts';
import { ProcessClock } from '../../../test/simulation/process-clock.ts';
import { SimulatedConnector } from '../../../test/simulation/simulated-connector.ts';
import {
  simulatedDefinition,
  simulatedDemo,
  simulatedSpec,
} from '../../../test/simulation/simulated-subject.ts';
import { SimulatedTarget } from '../../../test/simulation/simulated-target.ts';
import type { ChaosDemo, ChaosDemoSpec } from '../../api/index.ts';
import { FINALIZER } from '../../api/index.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { Reconciler } from './reconciler.ts';

const never = new AbortController().signal;

const demo = (name: string, changes: Record<string, unknown> = {}) =>
  simulatedDemo(simulatedSpec(changes), { name, uid: `u-of-${name}` });

/** A reconciler that runs only when the test says so. */
function setup() {
  const world = new FakeClock();
  const clock = new ProcessClock(world);
  const server = new FakeApiServer(world);
  const target = new SimulatedTarget(world);
  const api = server.connect(clock);
  const enqueued: string[] = [];
  const events: EventRecord[] = [];
  const metrics = createMetrics(IDLE, [simulatedDefinition.api]);
  const reconciler = new Reconciler({
    api,
    evidence: new FakeEvidence(world).connect(clock),
    clock,
    logger: pino({ level: 'silent' }),
    recorders: { events: { record: (event) => events.push(event) }, metrics },
    subjects: [{ definition: simulatedDefinition, connector: new SimulatedConnector(target, clock) }],
    enqueue: (key) => enqueued.push(key),
    leads: () => true,
    hasLead: () => true,
    killSwitchIsOn: () => false,
    maxRuns: 50,
    maxRunsPerNamespace: 5,
  });
  /** One reconcile, and the time that its calls take. */
  const reconcile = async (key = 'ns/demo') => {
    const result = reconciler.reconcile(key, never);
    result.catch(() => undefined);
    await world.advance(20);
    return await result;
  };
  const create = async (object: ChaosDemo): Promise<void> => {
    server.create(object);
    await world.advance(20);
  };
  const counted = async (result: string): Promise<number> => {
    const text = await metrics.registry.getSingleMetricAsString('chaosdemo_status_writes_total');
    return Number(new RegExp(`result="${result}"} (\\d+)`).exec(text)?.[1]);
  };
  return { api, counted, create, enqueued, events, reconcile, reconciler, server, target, world };
}

describe('what is kept between reconciles', () => {
  it('is nothing of objects that are idle, however many there are', async () => {
    const { create, reconcile, reconciler, world } = setup();
    const idle = Array.from({ length: 200 }, (_, i) => demo(`idle-${i}`, { suspend: true }));
    for (const object of idle) await create(object);
    for (const object of idle) await reconcile(keyOf(object));
    // Its own write comes back through the watch, and with that the last of it goes.
    await world.advance(100);
    for (const object of idle) await reconcile(keyOf(object));
    expect(reconciler.kept).toBe(0);
  });

  it('between reconciles our own version is kept; no write is based on an older one', async () => {
    const { counted, create, reconcile, reconciler, server, world } = setup();
    await create(demo('demo', { suspend: true }));
    server.watchLagMs = 5000;
    await reconcile();
    server.watchLagMs = 10;
    await create(demo('unrelated', { suspend: true }));
    expect(reconciler.kept).toBe(1);
    await reconcile();
    expect([reconciler.kept, await counted('stored'), await counted('conflict')]).toEqual([1, 1, 0]);
    await world.advance(5000);
    await reconcile();
    expect([reconciler.kept, await counted('stored')]).toEqual([0, 1]);
  });
});

it('a look holds no worker: a reconcile ends while the subject is still looked for', async () => {
  const { create, enqueued, reconcile, server, target, world } = setup();
  target.behaviour.effectMs = 9000;
  await create(demo('demo'));
  expect(await reconcile()).toEqual({});
  expect(server.get('ns/demo')?.status?.phase).toBe('Pending');
  expect([target.admissions, enqueued]).toEqual([1, []]);
  await reconcile();
  expect(target.admissions).toBe(1);
  await world.advance(9000);
  expect(enqueued).toEqual(['ns/demo']);
  await reconcile();
  expect(server.get('ns/demo')?.status?.phase).toBe('Running');
});

it('the removal of a finalizer is retried at once if a deletion came first', async () => {
  const { api, create, reconcile, server } = setup();
  const write = api.writeFinalizers.bind(api);
  let removals = 0;
  api.writeFinalizers = async (...call) => {
    removals += 1;
    if (removals === 1) server.delete('ns/demo');
    return await write(...call);
  };
  const suspended = demo('demo', { suspend: true });
  await create({ ...suspended, metadata: { ...suspended.metadata, finalizers: [FINALIZER] } });
  expect(await reconcile()).toEqual({ requeueAfterMs: 0 });
  await reconcile();
  expect([removals, server.get('ns/demo')]).toEqual([2, undefined]);
});

it('a status that the API server refuses is an error, nothing begins; it is retried', async () => {
  const { counted, create, reconcile, server, target } = setup();
  await create(demo('demo'));
  server.refuses = () => true;
  await expect(reconcile()).rejects.toThrow('refused on demand');
  await expect(reconcile()).rejects.toThrow('refused on demand');
  expect([await counted('rejected'), target.admissions]).toEqual([2, 0]);
  server.refuses = () => false;
  await reconcile();
  expect([await counted('stored'), target.admissions]).toEqual([1, 1]);
});

it('an object of an unknown subject loses its finalizer once no fault may be active', async () => {
  const { create, reconcile, server, world } = setup();
  const object = demo('demo');
  const { simulated: _, ...spec } = object.spec as ChaosDemoSpec & { simulated: unknown };
  const at = (ms: number): string => new Date(world.now() + ms).toISOString();
  await create({
    ...object,
    metadata: { ...object.metadata, finalizers: [FINALIZER] },
    spec,
    status: {
      run: { number: 1, startedAt: at(0) },
      scenarios: [
        {
          name: 'f',
          type: 'F',
          expect: 'Violated',
          fault: { id: '1-f-1', plannedAt: at(0), until: at(30_000) },
        },
      ],
    },
  });
  const { requeueAfterMs = 0 } = await reconcile();
  expect(requeueAfterMs).toBeGreaterThan(30_000);
  expect(server.get('ns/demo')?.metadata.finalizers).toEqual([FINALIZER]);
  await world.advance(requeueAfterMs);
  await reconcile();
  expect(server.get('ns/demo')?.metadata.finalizers).toEqual([]);
});
