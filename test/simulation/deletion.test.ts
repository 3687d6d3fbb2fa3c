/** Deletion of an object during its run, and teardown of what the run created. */
import { describe, expect, it } from 'vitest';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { at, finished, leftBy, NOTHING } from './support.ts';

const SURGE = { scenarios: [{ name: 's', type: 'Surge' }] };

/** Whether an effect of this kind is under way, or was. */
const begun =
  (kind: string) =>
  ({ performed }: Simulation): boolean =>
    performed.some((effect) => effect.kind === kind);

describe('an object', () => {
  it.each([
    ['with a fault that can be cut short', {}],
    ['with a fault that cannot be cut short', SURGE],
  ])('%s is held from before its first fixture is set up until its run has ended', async (_, changes) => {
    const simulation = new Simulation(simulatedSpec(changes), { effectMs: 500 });
    await simulation.runUntil(at(2));
    expect(simulation.held).toBe(false);
    await simulation.runUntil(begun('MeasureBaseline'));
    expect([simulation.held, simulation.target.fixtures.size]).toEqual([true, 1]);
    await simulation.runUntil((now) => now.finished() || !now.held);
    expect(simulation.finished()).toBe(true);
    await simulation.pass(1000);
    expect([simulation.held, simulation.target.fixtures.size]).toEqual([false, 0]);
  });

  it.each([1, 2, 3, 4, 5, 8, 9])(
    'an object deleted in chapter %i leaves no fault, lock, fixture or waiter',
    async (chapter) => {
      const simulation = new Simulation();
      await simulation.runUntil(at(chapter));
      simulation.delete();
      await simulation.pass(5000);
      expect(leftBy(simulation)).toEqual(NOTHING);
      // What it was to be looked at for again may be a day ahead: spec.activeDeadline.
      expect(simulation.clock.nextAt).toBeUndefined();
    },
  );

  it('a deleted object reports the end of its run once', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.delete();
    await simulation.pass(20_000);
    const ends = simulation.events.filter(({ action }) => action === 'EndRun');
    const note = 'Run 1 Aborted (1/2 as expected): Run 1 was stopped because its object is deleted. Restored';
    expect(ends).toEqual([expect.objectContaining({ type: 'Normal', reason: 'RunAborted', note })]);
  });

  it('a forged status removes no fixture that the object cannot have created', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(9));
    simulation.forge((status) => ({
      ...status,
      journal: { ...status.journal, fixtures: ['of-others'] },
      scenarios: status.scenarios?.map(({ fault, ...scenario }) => ({
        ...scenario,
        ...(fault && { fault: { ...fault, fixture: 'of-another-object' } }),
      })),
    }));
    simulation.delete();
    await simulation.pass(20_000);
    const restore = simulation.performed.findLast(({ kind }) => kind === 'Restore');
    expect(restore).toMatchObject({ release: true, fixtures: [] });
  });
});

describe('an object that goes and whose status is refused', () => {
  it.each([2, 5, 9])('in chapter %i loses its finalizer once all is undone', async (chapter) => {
    const simulation = new Simulation();
    await simulation.runUntil(at(chapter));
    simulation.server.refuses = () => true;
    simulation.delete();
    await simulation.pass(60_000);
    expect(leftBy(simulation)).toEqual(NOTHING);
    const ends = simulation.events.filter(({ action }) => action === 'EndRun');
    expect(ends.map(({ reason }) => reason)).toEqual(['RunAborted']);
    expect(await simulation.counted.metrics()).toContain('chaosdemo_runs_total{verdict="Aborted"} 1\n');
  });

  it('the end of its run is reported once, however long a finalizer holds it', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.server.refuses = () => true;
    simulation.server.edit('ns/demo', ({ metadata }) => {
      metadata.finalizers = [...(metadata.finalizers ?? []), 'example.com/theirs'];
    });
    simulation.delete();
    await simulation.pass(60_000);
    for (const value of ['a', 'b', 'c']) {
      simulation.annotate('requestedAt', value);
      await simulation.pass(60_000);
    }
    expect([simulation.exists, simulation.target.isStalled]).toEqual([true, false]);
    expect(simulation.events.filter(({ action }) => action === 'EndRun')).toHaveLength(1);
  });

  it('is held while its fault may be active if no process can release it', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ target }) => target.isStalled);
    simulation.server.refuses = () => true;
    simulation.target.admission = { state: 'waiting', reason: 'TargetInUse', message: 'held by another' };
    await simulation.crash(1000, () => simulation.delete());
    expect(simulation.exists).toBe(true);
    await simulation.runUntil(({ exists }) => !exists, 120_000);
    expect([simulation.exists, simulation.target.isStalled]).toEqual([false, false]);
  });
});

describe('an object held by another finalizer', () => {
  it('takes no run slot after its deletion, nor after a restart', async () => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 500 });
    await simulation.runUntil(at(1));
    simulation.server.edit('ns/demo', ({ metadata }) => {
      metadata.finalizers = ['example.com/theirs'];
    });
    simulation.delete();
    await simulation.pass(10_000);
    expect([simulation.exists, simulation.entryCount, simulation.isQuiet]).toEqual([true, 0, true]);
    await simulation.crash(1000);
    await simulation.pass(10_000);
    expect([simulation.exists, simulation.entryCount, simulation.isQuiet]).toEqual([true, 0, true]);
  });
});

describe('an object that is deleted while no operator is up', () => {
  it.each(['MeasureBaseline', 'Prepare'])(
    'is held until the fixture of a %s is removed that was under way',
    async (kind) => {
      const simulation = new Simulation(simulatedSpec(), { effectMs: 500 });
      await simulation.runUntil(begun(kind));
      expect(simulation.target.fixtures.size).toBe(1);
      await simulation.crash(60_000, () => simulation.delete());
      expect(simulation.exists).toBe(true);
      await simulation.pass(5000);
      expect(leftBy(simulation)).toEqual(NOTHING);
    },
  );

  it('goes within 30 s of the next start if its subject cannot be reached', async () => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 500 });
    await simulation.runUntil(begun('MeasureBaseline'));
    simulation.target.admission = { state: 'waiting', reason: 'TargetInUse', message: 'held by another' };
    await simulation.crash(60_000, () => simulation.delete());
    await simulation.pass(10_000);
    expect(simulation.exists).toBe(true);
    await simulation.pass(20_000);
    expect(simulation.exists).toBe(false);
    const note = expect.stringMatching(/not prove .*restored/);
    expect(simulation.events).toContainEqual(expect.objectContaining({ action: 'EndRun', note }));
  });
});

it.each(['MeasureBaseline', 'Prepare'])(
  'a successor removes what a process that died in %s had set up, by its name',
  async (kind) => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 500 });
    for (let i = 0; i < 3; i += 1) {
      await simulation.runUntil(begun(kind));
      simulation.performed.splice(0);
      await simulation.crash(5000);
    }
    expect(simulation.target.fixtures.size).toBeGreaterThanOrEqual(kind === 'MeasureBaseline' ? 3 : 1);
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect([...simulation.target.fixtures]).toEqual([]);
  },
);
