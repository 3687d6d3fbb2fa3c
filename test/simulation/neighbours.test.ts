/** What one tenant does, and what another has of it: nothing. */
import { describe, expect, it } from 'vitest';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { INJECTION_TIMEOUT_MS } from '../../src/engine/chaos-stage.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { at, condition, finished } from './support.ts';

const SUSPENDED = simulatedSpec({ suspend: true });
/** One second, as is promised. */
const PROMISED_MS = 1000;

/** An API server that takes its time, and a tenant with so many objects. */
function crowded(count: number, spec = simulatedSpec()): Simulation {
  const simulation = new Simulation(SUSPENDED);
  simulation.server.latencyMs = 20;
  for (let i = 0; i < count; i += 1) simulation.create(`noisy-${i}`, spec, 'noisy');
  return simulation;
}

function annotateAll(simulation: Simulation, value: string): void {
  for (const key of simulation.server.keys().filter((name) => name.startsWith('noisy/'))) {
    simulation.server.edit(key, ({ metadata }) => {
      metadata.annotations = { [ANNOTATIONS.abort]: value };
    });
  }
}

/** How long an object made now waits for its first status. */
async function firstStatus(simulation: Simulation): Promise<number> {
  const createdAt = simulation.now;
  simulation.create('stranger', SUSPENDED, 'other');
  const key = 'other/stranger';
  await simulation.runUntil(({ server }) => server.get(key)?.status !== undefined, 600_000);
  return (simulation.server.stored.find((stored) => stored.key === key)?.at ?? Infinity) - createdAt;
}

describe('a stranger gets its first status in a moment', () => {
  it('while a thousand new objects of one namespace wait', async () => {
    const simulation = crowded(1000, SUSPENDED);
    expect(await firstStatus(simulation)).toBeLessThan(PROMISED_MS);
  });

  it('a stranger has a quick status while 96 objects of a namespace are checked', async () => {
    const simulation = crowded(96);
    simulation.neighbourly = { effectMs: 2900 };
    await simulation.pass(500);
    expect(await firstStatus(simulation)).toBeLessThan(PROMISED_MS);
  });

  it('while sessions of one namespace refuse to close, all at once', async () => {
    const simulation = crowded(96);
    simulation.maxRunsPerNamespace = 96;
    simulation.maxRuns = 96;
    await simulation.restart();
    simulation.neighbourly = { closeMs: 3_600_000 };
    await simulation.runUntil(({ activeRuns }) => activeRuns === 96);
    annotateAll(simulation, '1');
    await simulation.pass(1000);
    expect(await firstStatus(simulation)).toBeLessThan(PROMISED_MS);
  });
});

describe('a run of one tenant is not delayed by a crowd of another', () => {
  /** The run of "ns/demo", alone or with a tenant that creates a thousand objects and aborts what it can. */
  async function play(withCrowd: boolean): Promise<Simulation> {
    const simulation = new Simulation();
    simulation.server.latencyMs = 20;
    simulation.neighbourly = { effectMs: 2900, closeMs: 3_600_000 };
    for (let round = 0; !simulation.finished() && round < 120; round += 1) {
      if (withCrowd && round < 10) {
        for (let i = 0; i < 30; i += 1) simulation.create(`noisy-${round}-${i}`, simulatedSpec(), 'noisy');
      }
      if (withCrowd && round > 10) annotateAll(simulation, '1');
      await simulation.pass(1000);
    }
    return simulation;
  }

  it('and no fault of it misses its moment', async () => {
    const [alone, withCrowd] = [await play(false), await play(true)];
    expect(withCrowd.finished()).toBe(true);
    expect(withCrowd.injected.map(({ id }) => id)).toEqual(alone.injected.map(({ id }) => id));
    const late = withCrowd.injected.map(({ at: sentAt, id }) => {
      const fault = withCrowd.status.scenarios?.find((entry) => entry.fault?.id === id)?.fault;
      return sentAt - Date.parse(fault?.plannedAt ?? '');
    });
    expect(late).toHaveLength(2);
    for (const ms of late) expect(ms).toBeLessThan(INJECTION_TIMEOUT_MS / 2);
    expect(withCrowd.now - alone.now).toBeLessThan(5000);
  });

  /** How long it takes until the stall of "ns/demo" is over, counted from `stop`. */
  async function stalledFor(
    count: number,
    stop: (simulation: Simulation) => void | Promise<void>,
  ): Promise<number> {
    const simulation = new Simulation();
    simulation.server.latencyMs = 20;
    simulation.neighbourly = { effectMs: 2900, closeMs: 3_600_000 };
    await simulation.runUntil(({ target }) => target.isStalled);
    await simulation.pass(500);
    for (let i = 0; i < count; i += 1) simulation.create(`noisy-${i}`, simulatedSpec(), 'noisy');
    await simulation.pass(10);
    const stoppedAt = simulation.now;
    await stop(simulation);
    await simulation.runUntil(({ target }) => !target.isStalled);
    return simulation.now - stoppedAt;
  }

  it.each<[string, (simulation: Simulation) => void | Promise<void>]>([
    ['an abort', (simulation) => simulation.annotate('abort', '1')],
    ['a deletion', (simulation) => simulation.delete()],
    ['the kill switch', (simulation) => simulation.turnKillSwitch(true)],
    [
      'an abort that a process finds when it takes over',
      async (simulation) => {
        simulation.annotate('abort', '1');
        await simulation.crash(100);
      },
    ],
  ])('and its fault is released as soon as without the crowd: by %s', async (_, stop) => {
    const alone = await stalledFor(0, stop);
    const withCrowd = await stalledFor(1000, stop);
    expect(alone).toBeLessThan(2000);
    expect(withCrowd - alone).toBeLessThan(PROMISED_MS);
  });
});

describe('more runs than are taken on at once', () => {
  it('runs over the limit wait with a reason, and begin automatically within it', async () => {
    const simulation = crowded(8);
    let most = 0;
    const watch = simulation.server.watch(() => {
      most = Math.max(most, simulation.runsOn.get('noisy') ?? 0);
    });
    await simulation.pass(1000);
    const waiting = simulation.server.keys().map((key) => simulation.server.get(key)?.status);
    const held = waiting.filter(
      (status) => condition({ status: status ?? {} }, 'Ready')?.reason === 'TooManyRuns',
    );
    expect(held).toHaveLength(3);
    for (const status of held) {
      expect(status).toMatchObject({ phase: 'Pending' });
      expect(status?.message).toMatch(/^Waiting: 5 runs of namespace noisy /);
      expect(condition({ status: status ?? {} }, 'Reconciling')?.status).toBe('True');
    }
    const done = ({ server }: Simulation): boolean =>
      server
        .keys()
        .every((key) => !key.startsWith('noisy/') || server.get(key)?.status?.run?.completedAt !== undefined);
    expect(await simulation.runUntil(done)).toBe(true);
    watch();
    expect(most).toBe(5);
  });

  it('of one namespace leave the others their turn', async () => {
    const simulation = crowded(40);
    simulation.maxRuns = 5;
    await simulation.restart();
    await simulation.pass(1000);
    simulation.create('single', simulatedSpec(), 'other');
    await simulation.pass(1000);
    expect(simulation.server.get('other/single')?.status?.message).toMatch(/5 runs of all namespaces/);
    const begun = (): number =>
      simulation.server.keys().filter((key) => simulation.server.get(key)?.status?.run).length;
    await simulation.runUntil(({ server }) => server.get('other/single')?.status?.run !== undefined);
    // The five that were on, and at most one more before it was its turn.
    expect(begun()).toBeLessThanOrEqual(5 + 2);
  });

  it('runs over the limit do not delay an undo: active ones continue after takeover', async () => {
    const simulation = new Simulation();
    for (let i = 0; i < 5; i += 1) simulation.create(`noisy-${i}`, simulatedSpec(), 'noisy');
    await simulation.runUntil((world) => at(4)(world) && world.target.isStalled);
    simulation.maxRuns = 1;
    simulation.maxRunsPerNamespace = 1;
    await simulation.crash(1000);
    expect(await simulation.runUntil(finished)).toBe(true);
    // It is over: what was watched by a process that is gone proves nothing.
    expect(simulation.status).toMatchObject({
      chapter: '11/11 Demo Complete',
      run: { reason: 'Inconclusive' },
    });
    expect(simulation.injected.map(({ scenario }) => scenario)).toEqual(['stall', 'surge']);
  });

  it('cost those nothing that are suspended or finished', async () => {
    const simulation = crowded(20, SUSPENDED);
    simulation.maxRunsPerNamespace = 1;
    await simulation.restart();
    simulation.create('runs', simulatedSpec(), 'noisy');
    const ended = ({ server }: Simulation, name: string): boolean =>
      server.get(`noisy/${name}`)?.status?.run?.completedAt !== undefined;
    expect(await simulation.runUntil((world) => ended(world, 'runs'), 120_000)).toBe(true);
    simulation.create('next', simulatedSpec(), 'noisy');
    expect(await simulation.runUntil((world) => ended(world, 'next'), 120_000)).toBe(true);
  });

  it('wait no longer for one whose look fails again and again', async () => {
    const simulation = crowded(0);
    simulation.maxRunsPerNamespace = 1;
    await simulation.restart();
    simulation.failingAdmissions.add('noisy/broken');
    simulation.create('broken', simulatedSpec(), 'noisy');
    await simulation.pass(1000);
    simulation.create('sound', simulatedSpec(), 'noisy');
    const begun = ({ server }: Simulation): boolean => server.get('noisy/sound')?.status?.run !== undefined;
    expect(await simulation.runUntil(begun, 20_000)).toBe(true);
  });
});
