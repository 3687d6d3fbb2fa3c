import { describe, expect, it } from 'vitest';
import { START } from './fake-clock.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import { advanceThrough, at, condition, finished, injectedBy, MANUAL } from './support.ts';

describe('steering a run by hand', () => {
  it('ignores an advance of another run or of a chapter already left', async () => {
    const simulation = new Simulation(MANUAL);
    for (const advance of ['2/1', '1/0', '1/11', 'x', '1/1 ']) {
      simulation.annotations = { advance };
      await simulation.pass(2000);
      expect(simulation.status.chapter).toBe('1/11 Welcome (waiting)');
    }
  });

  it('does not count the time spent waiting for the deadline', async () => {
    const simulation = new Simulation(simulatedSpec({ pace: { mode: 'Manual' }, activeDeadline: '2m' }));
    await simulation.pass(3_000_000);
    expect(simulation.finished()).toBe(false);
    for (let chapter = 1; chapter <= 10; chapter += 1) {
      simulation.annotations = { advance: `1/${chapter}` };
      await simulation.pass(60_000);
    }
    expect(simulation.status.phase).toBe('Succeeded');
    expect(Date.parse(simulation.status.run?.completedAt ?? '') - START).toBeGreaterThan(3_000_000);
  });

  it('remembers a violation that a presenter talked over', async () => {
    const simulation = new Simulation(MANUAL);
    await advanceThrough(simulation, 3);
    await simulation.pass(60_000);
    expect(simulation.status.chapter).toBe('4/11 Stall (fault confirmed, waiting)');
    expect(condition(simulation, 'StallViolated')?.status).toBe('True');
  });

  it('an invariant is shown as watched from the fault on, and not after the run', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
    expect(condition(simulation, 'StallViolated')).toMatchObject({
      reason: 'NotObserved',
      message: expect.stringMatching(/^A fault is announced for /),
    });
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault?.startedAt !== undefined);
    expect(condition(simulation, 'StallViolated')?.reason).toBe('Watching');
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(finished);
    expect(condition(simulation, 'StallViolated')).toMatchObject({
      reason: 'NotObserved',
      message: expect.stringMatching(/ended before .*result$/),
    });
  });

  it('holds before the next fault while suspended, and continues afterwards', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(7));
    simulation.spec = simulatedSpec({ suspend: true });
    await simulation.pass(600_000);
    expect(simulation.status.chapter).toBe('8/11 Surge (suspended)');
    expect(simulation.injected).toHaveLength(1);
    simulation.spec = simulatedSpec();
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
  });
});

describe('the kill switch', () => {
  it('the kill switch stops a run and its fault, and blocks starts until it is off', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.turnKillSwitch(true);
    expect(await simulation.runUntil(finished, 2000)).toBe(true);
    expect(simulation.status.run).toMatchObject({ phase: 'Aborted', reason: 'KillSwitch' });
    expect(simulation.target.isStalled).toBe(false);

    const { admissions } = simulation.target;
    simulation.annotations = { requestedAt: 'again' };
    await simulation.pass(120_000);
    expect(condition(simulation, 'Stalled')).toMatchObject({ status: 'True', reason: 'KillSwitch' });
    expect(simulation.target.admissions).toBe(admissions);

    simulation.turnKillSwitch(false);
    await simulation.runUntil(({ status }) => status.run?.number === 2 && status.phase === 'Succeeded');
    expect(injectedBy(simulation, 'stall')).toHaveLength(2);
  });

  it('releases the active fault of a process that is gone', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.killSwitch = true;
    await simulation.crash(500);
    expect(await simulation.runUntil(finished, 3000)).toBe(true);
    expect(simulation.target.isStalled).toBe(false);
  });
});

describe('an end that cannot be brought about', () => {
  it('releases the object at the end of the fault if it could not be released', async () => {
    const simulation = new Simulation(simulatedSpec(), { releases: false });
    await simulation.runUntil(at(5));
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(finished);
    expect(simulation.status.message).toContain('not restored');
    await simulation.pass(10);
    expect(simulation.held).toBe(true);
    await simulation.runUntil(({ held }) => !held, 60_000);
    expect(simulation.held).toBe(false);
    expect(simulation.target.isStalled).toBe(false);
    expect(condition(simulation, 'FaultActive')?.status).toBe('False');
  });

  it('releases an aborted fault some milliseconds before it writes the status', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(5));
    simulation.server.latencyMs = 0;
    simulation.annotations = { abort: '1' };
    await simulation.runUntil(({ target }) => !target.isStalled);
    await simulation.pass(4);
    expect(simulation.status.run?.reason).toBeUndefined();
    await simulation.runUntil(finished);
    expect(simulation.status.run?.reason).toBe('Aborted');
  });

  it('releases at once for an abort, though the run was to end with its fault', async () => {
    const long = { scenarios: [{ name: 'd', type: 'Stall', stall: { hold: '30s' } }] };
    const simulation = new Simulation(
      simulatedSpec({ ...long, activeDeadline: '1m', pace: { dwell: '15s' } }),
    );
    await simulation.runUntil(({ status }) => status.run?.reason === 'DeadlineExceeded');
    expect(simulation.target.isStalled).toBe(true);
    simulation.annotations = { abort: '1' };
    expect(await simulation.runUntil(finished, 1000)).toBe(true);
    expect(simulation.status.run).toMatchObject({ phase: 'Aborted', reason: 'Aborted' });
    expect(simulation.target.isStalled).toBe(false);
  });
});
