import { describe, expect, it } from 'vitest';
import { RECOVERED_AFTER } from '../../src/api/index.ts';
import { numbered } from '../../src/engine/chapter.ts';
import { simulatedSpec } from './simulated-subject.ts';
import { Simulation } from './simulation.ts';
import {
  advanceThrough,
  at,
  condition,
  finished,
  GATE,
  injectedBy,
  leftBy,
  MANUAL,
  NOTHING,
} from './support.ts';

describe('a run', () => {
  it('leads through eleven chapters to Succeeded, injecting each fault once', async () => {
    const simulation = new Simulation();
    expect(await simulation.runUntil(finished)).toBe(true);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(numbered(simulation.status).map(({ state }) => state)).toEqual(Array(11).fill('Completed'));
    expect(simulation.status.scenarios?.map(({ result }) => result)).toEqual(['Violated', 'Violated']);
    expect(simulation.injected.map(({ id }) => id)).toEqual(['1-stall-1', '1-surge-1']);
    expect(Object.keys(simulation.status.scenarios?.[0]?.fault ?? {})).not.toContain('fixture');
    expect(simulation.status).toMatchObject({
      chapter: '11/11 Demo Complete',
      result: expect.stringMatching(/^stall violated.*surge violated/),
    });
  });

  it('runs several scenarios of a type, and the worst result is the condition', async () => {
    const simulation = new Simulation(
      simulatedSpec({
        scenarios: [
          { name: 'long', type: 'Stall', expect: 'Any', stall: { hold: '12s' } },
          { name: 'short', type: 'Stall', expect: 'Any', stall: { hold: '3s' } },
        ],
      }),
    );
    expect(await simulation.runUntil(finished)).toBe(true);
    expect(simulation.injected.map(({ id }) => id)).toEqual(['1-long-1', '1-short-1']);
    expect(simulation.status.chapters?.map(({ title }) => title)).toContain('Recovery: short');
    expect(simulation.status.scenarios?.map(({ name, result }) => [name, result])).toEqual([
      ['long', 'Violated'],
      ['short', 'Violated'],
    ]);
    expect(simulation.status.result).toMatch(/^long violated.*short violated/);
    expect(condition(simulation, 'StallViolated')).toMatchObject({ status: 'True', reason: 'Violated' });
    expect(condition(simulation, 'StallViolated')?.message).toMatch(/^long: /);
  });

  it('watches a fault from its countdown on, so that callers are there when it starts', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault !== undefined);
    await simulation.pass(100);
    expect(simulation.activities).toContainEqual(
      expect.objectContaining({ kind: 'Watch', fault: '1-stall-1' }),
    );
    expect(simulation.injected).toEqual([]);
  });

  it('gives up after five fixtures that expire before the fault', async () => {
    const simulation = new Simulation(simulatedSpec(), { usableMs: 1000 });
    await simulation.runUntil(finished);
    expect(simulation.injected).toEqual([]);
    expect(simulation.status.run).toMatchObject({ phase: 'Errored', reason: 'PrepareFailed' });
    expect(simulation.status.scenarios?.[0]?.retries).toBe(5);
  });

  it('a change of what starts no run leaves the run as it is', async () => {
    const simulation = new Simulation(MANUAL);
    await simulation.runUntil(at(1));
    const simulated = { pollInterval: '250ms' };
    simulation.spec = simulatedSpec({ pace: { mode: 'Manual' }, simulated });
    await simulation.pass(100);
    expect(simulation.status.run).toMatchObject({ number: 1 });
    expect(simulation.status.run?.reason).toBeUndefined();
  });

  it('writes a bounded number of statuses, no two alike in the columns of a watch', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(finished);
    expect(simulation.writes.length).toBeLessThan(27);
    const rows = simulation.writes.map(({ chapter, conditions, phase, result }) => {
      const healthy = conditions?.find(({ type }) => type === 'Healthy')?.status;
      return [phase, chapter, healthy, result].join('|');
    });
    for (const [index, row] of rows.entries()) expect(row).not.toBe(rows[index - 1]);
  });

  it('keeps evidence that grows for the next transition, and ends with the last of it', async () => {
    const simulation = new Simulation(MANUAL);
    await advanceThrough(simulation, 3);
    const before = simulation.writes.length;
    await simulation.pass(60_000);
    // During that the stall ended, which is reported, and the watch after it, which is not.
    expect(simulation.writes.slice(before)).toHaveLength(1);
    simulation.spec = simulatedSpec();
    await simulation.runUntil(finished);
    for (const { evidence, fault } of simulation.status.scenarios ?? []) {
      expect(evidence).toEqual(simulation.target.readings.get(`demo ${fault?.id}`)?.evidence);
    }
  });

  it('a run reports what a fault left only if that could be read', async () => {
    for (const readable of [true, false]) {
      const simulation = new Simulation(simulatedSpec(), { readable });
      await simulation.runUntil(finished);
      expect(simulation.status.phase).toBe('Succeeded');
      const [stall] = simulation.status.scenarios ?? [];
      const { abandoned, [RECOVERED_AFTER]: time } = stall?.measures ?? {};
      expect([abandoned, time]).toEqual(readable ? [0, expect.any(Number)] : [undefined, undefined]);
    }
  });

  it('a run explains detections after the fault, so that nothing later is missed', async () => {
    const simulation = new Simulation(simulatedSpec({ pace: { dwell: '0s' } }));
    const explained = () => simulation.target.performed.some(({ kind }) => kind === 'Diagnose');
    await simulation.runUntil(() => simulation.status.scenarios?.[0]?.result === 'Violated');
    expect(simulation.status.scenarios?.[0]?.fault?.endedAt).toBeUndefined();
    await simulation.runUntil(explained);
    expect(simulation.status.scenarios?.[0]?.fault?.endedAt).toBeDefined();
  });

  it('announces a fault in a stored status before it injects it', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(({ injected }) => injected.length === 1);
    const announced = simulation.server.stored.findIndex(({ status }) => status.scenarios?.[0]?.fault);
    expect(announced).toBeGreaterThan(0);
    const { at: storedAt = Infinity, status } = simulation.server.stored[announced] ?? {};
    const [injection] = simulation.injected;
    expect(injection?.at).toBeGreaterThan(storedAt);
    expect(injection?.at).toBeGreaterThanOrEqual(Date.parse(status?.scenarios?.[0]?.fault?.plannedAt ?? ''));
  });

  it('a run is Failed with ViolationNotReproduced if a strict service holds', async () => {
    const simulation = new Simulation(simulatedSpec(), { queues: false, loses: false });
    await simulation.runUntil(finished);
    expect(simulation.status.run).toMatchObject({
      phase: 'Failed',
      reason: 'ViolationNotReproduced',
    });
    expect(condition(simulation, 'Stalled')?.status).toBe('True');
    expect(condition(simulation, 'StallViolated')?.status).toBe('False');
  });

  it('a run is Failed and injects nothing if the invariant is broken before', async () => {
    const simulation = new Simulation(simulatedSpec(), { losesAnyway: true });
    await simulation.runUntil(finished);
    expect(simulation.status.run).toMatchObject({ phase: 'Failed', reason: 'BaselineViolated' });
    expect(simulation.status.message).toMatch(/lost 3 requests without/);
    expect(simulation.injected).toEqual([]);
  });

  it('a run injects nothing if the subject sickens while the decision is stored', async () => {
    const simulation = new Simulation();
    const fault = () => simulation.status.scenarios?.[0]?.fault;
    await simulation.runUntil(() => fault() !== undefined);
    simulation.server.latencyMs = 2500;
    await simulation.runUntil(({ now }) => now >= Date.parse(fault()?.plannedAt ?? ''));
    simulation.target.healthy = false;
    await simulation.pass(5000);
    expect(simulation.injected).toEqual([]);
    simulation.server.latencyMs = 2;
    simulation.target.healthy = true;
    await simulation.runUntil(finished);
    expect(injectedBy(simulation, 'stall').map(({ healthy, id }) => [id, healthy])).toEqual([
      ['1-stall-2', true],
    ]);
    expect(simulation.status.phase).toBe('Succeeded');
  });

  it('a run is Errored and injects nothing if the subject stays unhealthy', async () => {
    const simulation = new Simulation();
    simulation.target.healthy = false;
    await simulation.runUntil(finished);
    expect(simulation.status.run).toMatchObject({ phase: 'Errored', reason: 'TargetUnhealthy' });
    expect(simulation.injected).toEqual([]);
    expect(numbered(simulation.status)[1]?.state).toBe('Stopped');
  });

  it('an Errored run names the deleted pods if they are why proof is missing', async () => {
    const shortfalls = ['the watch broke off'];
    const simulation = new Simulation(GATE, { queues: false, loses: false, shortfalls });
    await simulation.runUntil(({ status }) => status.scenarios?.[0]?.fault?.proof !== undefined);
    simulation.target.gone = ['a'];
    simulation.target.healthy = false;
    await simulation.runUntil(finished);
    const podsGone = /gone since .*: a \(1 of 1 pods\): .*rollout/;
    expect(simulation.status.scenarios?.[0]).toMatchObject({
      result: 'Inconclusive',
      message: expect.stringMatching(podsGone),
    });
    expect(simulation.status).toMatchObject({ message: expect.stringMatching(podsGone) });
  });

  it('a run sets up a new fixture if the last would not last for all of it', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(4));
    simulation.spec = simulatedSpec({ suspend: true });
    await simulation.pass(120_000);
    simulation.spec = simulatedSpec();
    await simulation.runUntil(finished);
    expect(simulation.status.phase).toBe('Succeeded');
    expect(injectedBy(simulation, 'stall')).toHaveLength(1);
  });

  it('ends by its deadline', async () => {
    const simulation = new Simulation(simulatedSpec({ activeDeadline: '1m', pace: { dwell: '10m' } }));
    await simulation.runUntil(finished);
    expect(simulation.status.run).toMatchObject({ phase: 'Errored', reason: 'DeadlineExceeded' });
  });

  it('ends with nothing kept of it, and the lock given back', async () => {
    const simulation = new Simulation();
    await simulation.runUntil(at(4));
    expect(leftBy(simulation)).toMatchObject({ entries: 2, runs: 1, lockedBy: 'ns/demo' });
    await simulation.runUntil(finished);
    await simulation.pass(1000);
    expect(leftBy(simulation)).toEqual({ ...NOTHING, exists: true });
    expect(simulation.activities).toEqual([]);
  });
});
