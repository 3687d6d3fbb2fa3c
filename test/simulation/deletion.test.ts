/** Deletion of an object during its run. */
import { describe, expect, it } from 'vitest';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { at, leftBy, NOTHING } from './support.ts';

describe('an object', () => {
  it.each([1, 2, 3, 4, 5, 8, 9])(
    'an object deleted in chapter %i leaves no fault, lock or waiter',
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
    const note = 'Run 1 Aborted (1/2 as expected): the object was deleted';
    expect(ends).toEqual([expect.objectContaining({ type: 'Normal', reason: 'RunAborted', note })]);
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

it('an object held by another finalizer takes no run slot, nor after a restart', async () => {
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
