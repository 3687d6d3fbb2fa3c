import { describe, expect, it } from 'vitest';
import { statusSchema } from '../api/index.ts';
import { rejectedStatus } from './rejected-status.ts';
import { Simulation, START } from './simulation.fixture.ts';

describe('the status that is left when another was refused', () => {
  it('ends the run as Errored, fits the schema, and keeps what starts no run again', () => {
    const simulation = new Simulation();
    simulation.annotations = { requestedAt: 'now' };
    simulation.runUntil(({ status }) => status.progress === '5/11');
    const rejected = rejectedStatus(simulation.status, simulation.status, 3, START + 60_000);

    expect(statusSchema.safeParse(rejected).error).toBeUndefined();
    expect(rejected.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'StatusRejected' });
    expect(rejected.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('True');

    simulation.status = rejected;
    simulation.crash(60_000);
    simulation.runUntil(() => false, 120_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(simulation.status.phase).toBe('Errored');
  });

  it('ends the run that was to begin, so that what asked for it does not ask for ever', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ status }) => status.run?.completedAt !== undefined);
    const before = simulation.status;
    simulation.annotations = { requestedAt: 'again' };
    simulation.runUntil(({ status }) => status.run?.number === 2);
    const rejected = rejectedStatus(before, simulation.status, 1, simulation.now);
    expect(rejected.run).toMatchObject({ number: 2, verdict: { reason: 'StatusRejected' } });

    simulation.status = rejected;
    simulation.runUntil(() => false, 120_000);
    expect(simulation.status.run?.number).toBe(2);
  });

  it('leaves a verdict as it was, and is the same when it is made again', () => {
    const simulation = new Simulation();
    simulation.runUntil(({ status }) => status.run?.completedAt !== undefined);
    const rejected = rejectedStatus(simulation.status, simulation.status, 1, START + 600_000);
    expect(rejected.run?.verdict).toEqual(simulation.status.run?.verdict);
    expect(rejectedStatus(rejected, simulation.status, 1, START + 700_000)).toEqual(rejected);
  });

  it('speaks of no run where there was none', () => {
    expect(rejectedStatus({}, {}, 1, START).run).toBeUndefined();
  });
});
