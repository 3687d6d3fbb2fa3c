import { describe, expect, it } from 'vitest';
import type { OutageFault } from '../plan.ts';
import { type PortSeen, type StepTaken, TortureRecord, type VersionSeen } from '../record.ts';
import { checkOtherFaults } from './other-faults.ts';

const T0 = Date.parse('2026-01-02T03:04:05.000Z');
const LANE = 0;

/** The checks that find something: a fault from T0 + 1 s to T0 + 4 s, and what was seen during it. */
function found(
  fault: OutageFault,
  {
    kills = [],
    ports = [],
    proof = 'Inconclusive',
    killedAt,
  }: {
    readonly kills?: readonly number[];
    /** When the port began to refuse connections, and so on in turns. */
    readonly ports?: readonly number[];
    readonly proof?: 'Confirmed' | 'Inconclusive';
    /** When the fault proxy was killed. */
    readonly killedAt?: number;
  },
): string[] {
  const record = new TortureRecord();
  const [plannedAt, until] = [1000, 4000].map((ms) => new Date(T0 + ms).toISOString());
  const scenario = { name: 'outage', type: 'StoreOutage', fault: { id: 'f1', plannedAt, until, proof } };
  const object = { metadata: { name: 'run', uid: 'u' }, status: { scenarios: [scenario] } };
  record.note({ kind: 'version', at: T0, lane: LANE, type: 'MODIFIED', object } as unknown as VersionSeen);
  for (const ms of kills) record.note({ kind: 'done', at: T0 + ms, lane: LANE, what: 'kill' });
  for (const [i, ms] of ports.entries())
    record.note<PortSeen>({ kind: 'port', at: T0 + ms, lane: LANE, accepts: i % 2 === 1 });
  if (killedAt !== undefined) {
    const action = { to: 'fault-proxy', what: 'kill' } as const;
    const step = { lane: LANE, when: { afterMs: 0 }, action, forMs: 500 };
    const whom = 'fault proxy';
    record.note<StepTaken>({ kind: 'step', at: T0 + killedAt, endedAt: T0 + killedAt + 500, step, whom });
  }
  const plan = {
    mode: 'http',
    countdown: '0s',
    pauseMs: 3000,
    requestsPerSecond: 60,
    multiplier: 3,
    fault,
  } as const;
  return checkOtherFaults({ record, lane: LANE, plan, name: 'run' }).map(({ check }) => check);
}

describe('connections that are ended', () => {
  it('are right during a Disconnect only', () => {
    expect(found('Disconnect', { kills: [1100, 3900, 4200] })).toEqual([]);
    expect(found('Disconnect', { kills: [900, 910, 4600, 4601] })).toEqual(Array(4).fill('kills'));
    // The check of the right to do so.
    expect(found('Disconnect', { kills: [900] })).toEqual([]);
    expect(found('Stall', { kills: [2000] })).toEqual(['kills']);
  });
});

describe('a port that refuses connections', () => {
  it('is right during a Refuse only, and has to be seen if that is Confirmed', () => {
    expect(found('Refuse', { ports: [1100, 4300], proof: 'Confirmed' })).toEqual([]);
    expect(found('Refuse', { ports: [1100, 4700] })).toEqual(['port']);
    expect(found('Refuse', { ports: [1100] })).toEqual(['port']);
    expect(found('Refuse', { proof: 'Confirmed' })).toEqual(['port']);
    expect(found('StalePrimary', { ports: [1100, 1500] })).toEqual(['port']);
  });

  it('is right if the fault proxy is killed', () => {
    expect(found('StalePrimary', { ports: [2050, 2900], killedAt: 2000 })).toEqual([]);
  });
});
