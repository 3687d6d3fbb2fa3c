import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ChaosDemoStatus } from '../../src/api/index.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { advanceThrough, at, condition, finished, injectedBy, leftBy, MANUAL, NOTHING } from './support.ts';

describe('a restart of the operator', () => {
  it('a restart leaves nothing of a fault that was cancelled in its countdown', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
    await simulation.crash(100);
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(finished);
    expect(simulation.injected).toEqual([]);
    const { run, scenarios } = simulation.status;
    expect(run).toMatchObject({ phase: 'Aborted' });
    expect(scenarios?.[0]?.fault).toBeUndefined();
    expect(condition(simulation, 'FaultActive')).toMatchObject({ status: 'False', reason: 'NoFault' });
  });

  it('a run that was taken over and waits for its target is checked again', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(3));
    await simulation.crash(15_000);
    const reason = 'TargetInUse';
    simulation.target.admission = { state: 'waiting', reason, message: 'held by another' };
    const { admissions } = simulation.target;
    await simulation.pass(25_000);
    expect(simulation.target.admissions).toBeGreaterThanOrEqual(admissions + 2);
    expect(simulation.finished()).toBe(false);
    simulation.target.admission = { state: 'granted' };
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('a restart after a stall makes no second one, and the run is Errored', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ injected }) => injected.length === 1);
    await simulation.crash(15_000);
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
    expect(simulation.status.run).toMatchObject({ phase: 'Errored', reason: 'Inconclusive' });
  });

  it.each(['stall', 'surge'])('awaits a slow predecessor for 4 s before it decides on a %s', async (name) => {
    const simulation = new Simulation();
    const fault = () => simulation.status.scenarios?.find((entry) => entry.name === name)?.fault;
    await simulation.runUntil(() => fault() !== undefined);
    const plannedAt = Date.parse(fault()?.plannedAt ?? '');
    const before = simulation.performed.length;
    await simulation.crash(0);
    const decided = ({ performed }: Simulation): boolean =>
      performed.slice(before).some(({ kind }) => kind === 'Inquire' || kind === 'Prepare');
    await simulation.runUntil(decided, 60_000);
    // A predecessor may begin until 3 s after the moment of the fault, and what it sent takes its time.
    expect(simulation.now - plannedAt).toBeGreaterThanOrEqual(4000);
    expect(simulation.now - plannedAt).toBeLessThan(5000);
  });

  it('figures of an interrupted watch are reported as lower bounds', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.result === 'Violated');
    await simulation.crash(5000);
    await simulation.runUntil(finished);
    const [{ atLeast, message, summary } = {}] = simulation.status.scenarios ?? [];
    expect(atLeast).toEqual(['queued']);
    expect(summary).toBe('>= 10 > 5');
    expect(simulation.status.phase).toBe('Succeeded');
    expect(message).toMatch(/10 .*, at most 5 allowed\. .*may have grown$/);
  });

  it('repeats a surge without a result once, with a new id and a new fixture', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ injected }) => injected.length === 2);
    await simulation.crash(15_000);
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'surge').map(({ id }) => id)).toEqual(['1-surge-1', '1-surge-2']);
    expect(simulation.status.phase).toBe('Succeeded');
    const fixtures = simulation.performed.flatMap((effect) =>
      effect.kind === 'Prepare' && effect.scenario === 'surge' ? [effect.fixture] : [],
    );
    expect(new Set(fixtures).size).toBe(2);
  });

  it('a restart aborts a run without permission, and ends the fault of the dead one', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.target.admission = { state: 'refused', reason: 'NamespaceNotEnabled', message: 'label gone' };
    await simulation.crash(500);
    expect(simulation.target.isStalled).toBe(true);
    // Fixed right after: the driver was opened to undo, and injects nothing.
    await simulation.runUntil(({ activeRuns }) => activeRuns === 1, 5000);
    simulation.target.admission = { state: 'granted' };
    expect(await simulation.runUntil(finished, 5000)).toBe(true);
    expect(simulation.status.run).toMatchObject({ phase: 'Aborted', reason: 'NamespaceNotEnabled' });
    expect(simulation.target.isStalled).toBe(false);
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });
});

describe('an operator that stops in order', () => {
  it('ends an active fault, and keeps no lock', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    expect(simulation.target.isStalled).toBe(true);
    const stopped = simulation.stopOperator();
    await simulation.pass(1000);
    await stopped;
    expect(simulation.target.isStalled).toBe(false);
    expect(simulation.target.lockedBy).toBeUndefined();
    expect(simulation.activities).toEqual([]);
  });

  it('injects nothing that was announced and is due while it stops', async () => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 2000 });
    await simulation.runUntil(({ performed }) => performed.some(({ kind }) => kind === 'Inject'));
    const stopped = simulation.stopOperator();
    await simulation.pass(20_000);
    await stopped;
    expect(simulation.injected).toEqual([]);
  });
});

describe('a lost lead', () => {
  it.each([0, 1000, 8000])(
    'costs no second stall during the countdown, heard of %i ms later',
    async (late) => {
      const simulation = new Simulation();
      await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
      await simulation.lose(late);
      await simulation.runUntil(finished);
      expect(injectedBy(simulation, 'stall')).toHaveLength(1);
      expect(simulation.status.phase).toBe('Succeeded');
    },
  );

  it('leaves an active fault to the current leader, with its lock', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    await simulation.lose(1000);
    await simulation.pass(2000);
    expect(simulation.target.isStalled).toBe(true);
    expect(simulation.target.lockedBy).toBe('ns/demo');
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });

  it.each([5000, 12_000, 30_000])('by a freeze of %i ms costs no second stall', async (ms) => {
    const simulation = new Simulation(simulatedSpec({ activeDeadline: '5m' }));
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
    await simulation.freeze(ms);
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });

  it('makes a fault missed that was begun and not sent', async () => {
    const simulation = new Simulation(simulatedSpec(), { effectMs: 2000 });
    await simulation.runUntil(({ performed }) => performed.some(({ kind }) => kind === 'Inject'));
    await simulation.lose(0);
    await simulation.pass(3000);
    expect(simulation.injected).toEqual([]);
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall').length).toBeLessThanOrEqual(1);
  });
});

it('the fault is missed, planned again and given up if the lock stays lost', async () => {
  const simulation = new Simulation();
  await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
  simulation.target.lockFor('ns/another');
  await simulation.runUntil(finished);
  expect(simulation.injected).toEqual([]);
  expect(simulation.status.run).toMatchObject({ phase: 'Errored', reason: 'PrepareFailed' });
  expect(simulation.status.message).toMatch(/lock .*lost/);
});

describe('an API server in trouble', () => {
  it('misses a fault that could not be sent, and plans it again', async () => {
    const simulation = new Simulation();
    simulation.target.failing.Inject = 1;
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(injectedBy(simulation, 'stall').map(({ id }) => id)).toEqual(['1-stall-2']);
  });

  it.each([
    ['lost answers', [2, 3, 4, 5, 8], { failing: 4 }],
    ['write conflicts in every chapter', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { conflicting: 2 }],
  ])('%s cost no run and no fault', async (_, chapters, trouble) => {
    const simulation = new Simulation();
    for (const chapter of chapters) {
      await simulation.runUntil(at(chapter));
      Object.assign(simulation.server, trouble);
    }
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(simulation.injected).toHaveLength(2);
  });

  it.each([1, 2, 4, 5, 8, 11])(
    'a run continues after its status is rejected for a minute in chapter %i',
    async (chapter) => {
      const simulation = new Simulation();
      await simulation.runUntil(at(chapter));
      const begun = simulation.injected.length;
      simulation.server.refuses = () => true;
      await simulation.pass(60_000);
      expect([simulation.injected.length - begun <= 1, simulation.target.isStalled]).toEqual([true, false]);
      simulation.server.refuses = () => false;
      await simulation.runUntil(finished);
      await simulation.pass(5000);
      expect([simulation.status.run?.number, simulation.held, simulation.entryCount]).toEqual([1, false, 0]);
      expect(simulation.target.lockedBy).toBeUndefined();
    },
  );

  it('is stored again with growing delays if it announces a fault and is refused', async () => {
    const simulation = new Simulation();
    let refused = 0;
    const announces = ({ scenarios }: ChaosDemoStatus): boolean => scenarios?.[0]?.fault !== undefined;
    simulation.server.refuses = (status) => {
      if (!announces(status)) return false;
      refused += 1;
      return true;
    };
    await simulation.runUntil(() => refused > 0);
    await simulation.pass(10_000);
    expect(refused).toBeGreaterThan(2);
    expect(refused).toBeLessThan(20);
  });

  it('gives lock and slot back if it is refused for minutes, and continues then', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.server.refuses = () => true;
    await simulation.pass(60_000);
    expect(simulation.target.lockedBy).toBeDefined();
    await simulation.pass(180_000);
    expect([simulation.target.lockedBy, simulation.isQuiet]).toEqual([undefined, true]);
    simulation.server.refuses = () => false;
    await simulation.runUntil(finished);
    expect(simulation.status.run?.number).toBe(1);
  });

  it('ends a fault at an abort whose status it refuses, and releases a deleted object', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ target }) => target.isStalled);
    simulation.server.refuses = () => true;
    simulation.annotations = { abort: '1' };
    await simulation.pass(1000);
    expect(simulation.target.isStalled).toBe(false);
    simulation.delete();
    await simulation.pass(60_000);
    expect(leftBy(simulation)).toEqual(NOTHING);
  });

  it('no fault is injected while the first status of a run is rejected', async () => {
    const simulation = new Simulation();
    simulation.server.refuses = ({ phase }) => phase === 'Running';
    await simulation.pass(60_000);
    expect([simulation.status.run, simulation.injected]).toEqual([undefined, []]);
    simulation.server.refuses = () => false;
    await simulation.runUntil(finished);
    expect(simulation.status.run?.number).toBe(1);
  });
});

it('a status that makes no sense injects nothing more, and holds no deleted object', async () => {
  const simulation = new Simulation();
  await simulation.runUntil(at(5));
  simulation.forge((status) => ({ ...status, scenarios: [] }));
  const begun = simulation.injected.length;
  await simulation.pass(60_000);
  expect([simulation.injected.length, simulation.target.isStalled]).toEqual([begun, false]);
  simulation.delete();
  await simulation.pass(60_000);
  expect(leftBy(simulation)).toEqual(NOTHING);
});

it('a deleted object whose status is rejected is held no longer than its fault', async () => {
  // The longest delays that the queue may choose.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
  onTestFinished(() => random.mockRestore());
  const simulation = new Simulation();
  await simulation.runUntil(({ target }) => target.isStalled);
  const now = simulation.clock.now();
  const times = {
    plannedAt: new Date(now + 65_000).toISOString(),
    until: new Date(now + 3_000_000).toISOString(),
  };
  simulation.server.refuses = () => true;
  simulation.forge((status) => ({
    ...status,
    scenarios: (status.scenarios ?? []).map(({ fault, ...entry }) => ({
      ...entry,
      ...(fault && { fault: { ...fault, ...times } }),
    })),
  }));
  simulation.delete();
  // A fault lasts at most ten minutes from its planned start, and its end is seen 5 s later; then the next try.
  await simulation.pass(65_000 + 600_000 + 5000 + 10_000);
  expect([simulation.exists, simulation.entryCount]).toEqual([false, 0]);
});

it('a manual run continues in a process that took it over without its chapters', async () => {
  const simulation = new Simulation(MANUAL);
  await advanceThrough(simulation, 2);
  await simulation.crash(5000);
  for (let chapter = 4; chapter <= 10; chapter += 1) {
    await simulation.runUntil(at(chapter), 60_000);
    simulation.annotations = { advance: `1/${chapter}` };
    await simulation.pass(30_000);
  }
  expect(simulation.status.phase).toBe('Succeeded');
});

describe('the end of the thread that has the connections', () => {
  it.each([
    ['the countdown', ({ status }: Simulation) => status.scenarios?.[0]?.fault !== undefined],
    ['the fault', ({ injected }: Simulation) => injected.length === 1],
  ])('in %s makes no second fault, and the run goes on with the lock', async (_, moment) => {
    const simulation = new Simulation();
    await simulation.runUntil(moment);
    const { admissions } = simulation.target;
    simulation.endThread();
    await simulation.runUntil(({ target }) => target.admissions > admissions);
    expect(simulation.target.lockedBy).toBe('ns/demo');
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
    await simulation.pass(1000);
    expect([simulation.target.open, simulation.target.lockedBy]).toEqual([0, undefined]);
  });

  it('keeps what was detected before', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.result === 'Violated');
    simulation.endThread();
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });
});
