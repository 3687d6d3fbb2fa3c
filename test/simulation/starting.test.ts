import { describe, expect, it } from 'vitest';
import { type ChaosDemoSpec, statusSchema } from '../../src/api/index.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { at, condition, ended, finished, MANUAL } from './support.ts';

describe('starting', () => {
  it('a blocked start shows what is in the way, not that checks wait for a slot', async () => {
    const simulation = new Simulation(simulatedSpec({ suspend: true }), { effectMs: 2000 });
    const message = 'no pod has app=x';
    simulation.target.admission = { state: 'refused', reason: 'NoSuchPods', message };
    for (let i = 0; i < 40; i += 1) simulation.create(`d${i}`, simulatedSpec());
    await simulation.pass(60_000);
    const storedBefore = simulation.server.stored.length;
    await simulation.pass(300_000);
    expect(simulation.server.stored.length).toBe(storedBefore);
  });

  it('reports that there is no room once a look has waited for it for long', async () => {
    const simulation = new Simulation(simulatedSpec({ suspend: true }));
    simulation.maxRuns = 1;
    await simulation.restart();
    simulation.target.admission = { state: 'refused', reason: 'NoSuchPods', message: 'no pod has app=x' };
    simulation.create('last', simulatedSpec());
    await simulation.pass(5000);
    simulation.target.admission = { state: 'granted' };
    simulation.spec = MANUAL;
    const reason = () =>
      condition({ status: simulation.server.get('ns/last')?.status ?? {} }, 'Ready')?.reason;
    await simulation.pass(15_000);
    expect(simulation.status.phase).toBe('Running');
    expect(reason()).toBe('NoSuchPods');
    await simulation.pass(45_000);
    expect(reason()).toBe('TooManyRuns');
  });

  it('starts one run for a request that is longer than the status can hold', async () => {
    const simulation = new Simulation();
    simulation.annotations = { requestedAt: 'r'.repeat(300) };
    await simulation.runUntil(finished);
    await simulation.pass(60_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(statusSchema.safeParse(simulation.status).error).toBeUndefined();
  });

  it('keeps the verdict if an edit starts no run', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(finished);
    const before = simulation.status.conditions?.map(({ type, status }) => [type, status]);
    simulation.spec = simulatedSpec({ historyLimit: 2, suspend: true });
    await simulation.pass(5000);
    expect(simulation.status.conditions?.map(({ type, status }) => [type, status])).toEqual(before);
    expect(simulation.status.observedGeneration).toBe(2);
  });

  it('adopts a key of another version of the hash without running', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(finished);
    await simulation.pass(100);
    simulation.forge((status) => ({ ...status, journal: { ...status.journal, runKey: 'v0:something' } }));
    await simulation.pass(60_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(simulation.status.journal?.runKey).toMatch(/^v[1-9]\d*:/);
  });

  it('reports why it is refused, as Stalled, and starts once that is fixed', async () => {
    const simulation = new Simulation();
    simulation.target.admission = { state: 'refused', reason: 'NoSuchPods', message: 'no pod has app=x' };
    await simulation.pass(15_000);
    expect(condition(simulation, 'Stalled')).toMatchObject({ status: 'True', reason: 'NoSuchPods' });
    expect(condition(simulation, 'Finished')?.status).toBe('False');
    expect(simulation.events.filter(({ reason }) => reason === 'NoSuchPods')).toHaveLength(1);
    simulation.target.admission = { state: 'granted' };
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('runs the newest spec if it was edited while its pods were looked for', async () => {
    const simulation = new Simulation(simulatedSpec({ runId: 'first' }), { effectMs: 2000 });
    for (const runId of ['second', 'third']) {
      await simulation.pass(500);
      simulation.spec = simulatedSpec({ runId });
    }
    await simulation.runUntil(finished);
    expect(simulation.status).toMatchObject({ phase: 'Succeeded', run: { number: 1, runId: 'third' } });
    await simulation.pass(1000);
    expect([simulation.target.lockedBy, simulation.entryCount, simulation.target.open]).toEqual([
      undefined,
      0,
      0,
    ]);
  });

  it('a run waits for another demo with its target, names it, and then starts', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(2));
    simulation.create('second', simulatedSpec());
    const second = () => simulation.server.get('ns/second')?.status;
    await simulation.runUntil(() => second()?.conditions?.[0]?.reason === 'TargetInUse');
    expect(second()).toMatchObject({
      phase: 'Pending',
      message: expect.stringMatching(/ use by ns\/demo$/),
    });
    await simulation.pass(10);
    const waits = simulation.events.filter(({ regarding }) => regarding.name === 'second');
    expect(waits.map(({ action, note, reason, type }) => [type, reason, action, note])).toEqual([
      ['Normal', 'TargetInUse', 'Wait', expect.stringMatching(/ use by ns\/demo$/)],
    ]);
    await simulation.runUntil(() => second()?.run?.completedAt !== undefined);
    expect(second()?.phase).toBe('Succeeded');
    expect(simulation.injected.map(({ owner }) => owner)).toEqual([
      'ns/demo',
      'ns/demo',
      'ns/second',
      'ns/second',
    ]);
  });

  it('an object of an unknown subject is not accepted until it is corrected', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(finished);
    const spec = simulatedSpec({ runId: 'other' });
    const { simulated: _, ...others } = spec as ChaosDemoSpec & { simulated: unknown };
    simulation.spec = others;
    await simulation.pass(1000);
    expect(condition(simulation, 'Stalled')).toMatchObject({ status: 'True', reason: 'SubjectUnknown' });
    expect(simulation.status.message).toContain('write simulated');
    expect(simulation.status.run?.number).toBe(1);
    await simulation.pass(600_000);
    expect([simulation.entryCount, simulation.injected.length]).toEqual([0, 2]);
    simulation.spec = spec;
    await simulation.runUntil(ended(2));
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('aborts and releases when the namespace takes its permission back', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    const reason = 'NamespaceNotEnabled';
    simulation.target.admission = { state: 'refused', reason, message: 'label gone' };
    expect(await simulation.runUntil(finished, 6000)).toBe(true);
    expect(simulation.status.run).toMatchObject({ phase: 'Aborted', reason });
    expect(simulation.target.isStalled).toBe(false);
  });
});

describe('after a run that was stopped', () => {
  it.each([1, 3])(
    'a run superseded in chapter %i is followed by the next, in another session',
    async (chapter) => {
      const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' } }));
      for (const passed of [1, 2].filter((each) => each < chapter)) {
        simulation.annotations = { advance: `1/${passed}` };
        await simulation.runUntil(at(passed + 1), 10_000);
      }
      await simulation.runUntil(at(chapter));
      simulation.spec = simulatedSpec({ runId: 'next' });
      await simulation.runUntil(({ status }) => status.run?.runId === 'next' && !!status.run.completedAt);
      expect(simulation.status.run).toMatchObject({ number: 2, phase: 'Succeeded' });
      const end = simulation.writes.find(({ run }) => run?.completedAt !== undefined);
      expect([end?.phase, end?.message]).toEqual([
        'Pending',
        expect.stringContaining('a change of the spec'),
      ]);
    },
  );

  it('a stop keeps its cause over a restart, and pastRuns lacks the last run', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(({ status }) => status.journal?.stoppingSince !== undefined);
    await simulation.crash(500);
    await simulation.runUntil(finished);
    expect(simulation.status.message).toContain('aborted by annotation');
    expect(simulation.status.pastRuns).toBeUndefined();
    simulation.spec = simulatedSpec({ runId: 'next' });
    await simulation.runUntil(ended(2));
    expect(simulation.status.pastRuns).toEqual([expect.stringContaining('Run 1: Aborted (Aborted), ')]);
  });

  it('the verdict applies again, without its sentence, if a refused spec is reverted', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(finished);
    const { spec } = simulation;
    simulation.target.admission = { state: 'refused', reason: 'NamespaceNotEnabled', message: 'no label' };
    simulation.spec = simulatedSpec({ runId: 'next' });
    await simulation.runUntil(({ status }) => status.message === 'no label');
    simulation.spec = spec;
    await simulation.runUntil(({ status }) => status.phase === 'Succeeded');
    expect(simulation.status.message).toBe('Run 1 ended: Succeeded (ExpectationsMet)');
  });

  it('does not rest until a time that no fault can have, whatever the status has', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(finished);
    simulation.forge((status) => ({
      ...status,
      scenarios: status.scenarios?.map(({ fault, ...scenario }) => ({
        ...scenario,
        ...(fault && { fault: { ...fault, endedAt: '9999-01-01T00:00:00Z' } }),
      })),
    }));
    simulation.spec = simulatedSpec({ runId: 'next' });
    expect(await simulation.runUntil(({ status }) => status.run?.runId === 'next', 10_000)).toBe(true);
  });
});

describe('with rerun: OnPodTemplateChange', () => {
  const rerun = { rerun: 'OnPodTemplateChange' };
  /** The pods become those of a template: `settled` once its rollout has ended. */
  const rollOut = (simulation: Simulation, template: string, settled = true): void => {
    simulation.target.podTemplate = settled ? template : undefined;
  };
  const ran = async (simulation: Simulation, ms = 300_000): Promise<number | undefined> => {
    await simulation.pass(ms);
    return simulation.status.run?.number;
  };

  it('runs again once a rollout has ended, and not before', async () => {
    const simulation = new Simulation(simulatedSpec(rerun));
    rollOut(simulation, 'a');
    expect(await ran(simulation)).toBe(1);
    rollOut(simulation, 'b', false);
    expect(await ran(simulation)).toBe(1);
    rollOut(simulation, 'b');
    expect(await ran(simulation)).toBe(2);
    expect(simulation.status.run).toMatchObject({ podTemplate: 'b', phase: 'Succeeded' });
  });

  it('lets a run end whose pods are replaced, and runs again then', async () => {
    const simulation = new Simulation(simulatedSpec(rerun));
    rollOut(simulation, 'a');
    await simulation.runUntil(at(5));
    rollOut(simulation, 'b');
    await simulation.runUntil(finished);
    expect(simulation.status.run).toMatchObject({ number: 1, podTemplate: 'a' });
    expect(await ran(simulation)).toBe(2);
  });

  it('does not run for a rollout while suspended, and catches up with it afterwards', async () => {
    const simulation = new Simulation(simulatedSpec(rerun));
    rollOut(simulation, 'a');
    await simulation.runUntil(finished);
    simulation.spec = simulatedSpec({ ...rerun, suspend: true });
    rollOut(simulation, 'b');
    expect(await ran(simulation)).toBe(1);
    simulation.spec = simulatedSpec(rerun);
    expect(await ran(simulation)).toBe(2);
  });

  it('without rerun, a rollout starts nothing, and no template is kept', async () => {
    const simulation = new Simulation();
    rollOut(simulation, 'a');
    await simulation.runUntil(finished);
    rollOut(simulation, 'b');
    expect(await ran(simulation)).toBe(1);
    // What is left in the queue is the deadline of the run, once.
    await simulation.pass(600_000);
    expect([simulation.entryCount, simulation.clock.nextAt]).toEqual([0, undefined]);
  });
});
