import { describe, expect, it } from 'vitest';
import { statusSchema } from '../api/index.ts';
import { rejectedStatus } from './rejected-status.ts';
import { Simulation, START } from './simulation.fixture.ts';

describe('the status that is left when another was refused', () => {
  it('ends the run as Errored, fits the schema, and keeps what starts no run again', () => {
    const simulation = new Simulation();
    simulation.annotations = { requestedAt: 'now' };
    simulation.runUntil(({ status }) => status.progress === '5/11');
    const rejected = rejectedStatus(simulation.status, 3, START + 60_000);

    expect(statusSchema.safeParse(rejected).error).toBeUndefined();
    expect(rejected.run?.verdict).toMatchObject({ phase: 'Errored', reason: 'StatusRejected' });
    expect(rejected.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('True');

    simulation.status = rejected;
    simulation.crash(60_000);
    simulation.runUntil(() => false, 120_000);
    expect(simulation.status.run?.number).toBe(1);
    expect(simulation.status.phase).toBe('Errored');
  });

  it('speaks of no run where there was none', () => {
    expect(rejectedStatus({}, 1, START).run).toBeUndefined();
  });
});
