import { describe, expect, it } from 'vitest';
import { type FaultTools, type StoreCheck, StoreRefusedError } from './fault.ts';
import type { FaultType } from './fault-type.ts';
import { FencedFault } from './fenced-fault.ts';
import { FAULT_TYPES } from './index.ts';
import { withProof } from './proof.ts';

const RUN_ID = 'a'.repeat(40);
const signal = new AbortController().signal;

class Fenced extends FencedFault {
  async check(): Promise<void> {}
  begin(): never {
    throw new Error('not injected here');
  }
  end(): never {
    throw new Error('not injected here');
  }
}

/** A fault of a Redis that counts so many pauses, one number for each time it is read. */
function fenced({ check = { state: 'free' }, calls = [7] }: { check?: StoreCheck; calls?: number[] } = {}) {
  const charges: number[] = [];
  let reads = 0;
  const server = {
    name: 'redis-0',
    servers: [{}],
    takeCharge: async (ms: number) => void charges.push(ms),
    warmUp: async () => undefined,
    facts: async () => {
      const pauses = calls[Math.min(reads, calls.length - 1)];
      reads += 1;
      return { runId: RUN_ID, calls: pauses, countsEach: true };
    },
  };
  const parts = { redis: server, checkStore: async () => check, target: {}, now: Date.now };
  return { fault: new Fenced(parts as unknown as FaultTools), charges };
}

describe('a fault that only the process in charge can inject', () => {
  it('is prepared in charge of Redis for longer than it may disturb it', async () => {
    const { charges, fault } = fenced();
    const { marker } = await fault.prepare(10_000, signal);
    expect(marker).toContain('7');
    expect(charges).toHaveLength(1);
    expect(charges[0]).toBeGreaterThan(10_000);
  });

  it.each<[string, StoreCheck, RegExp]>([
    ['was restarted', { state: 'restarted' }, /redis-0 was restarted/],
    [
      'must not be disturbed any more',
      { state: 'refused', admission: { reason: 'SharedRedis', message: 'others use it' } },
      /^SharedRedis: others use it$/,
    ],
  ])('is not prepared if its Redis %s', async (_, check, reason) => {
    const { charges, fault } = fenced({ check });
    await expect(fault.prepare(10_000, signal)).rejects.toThrow(reason);
    expect(charges).toEqual([]);
  });

  it.each<[string, number[], string, number]>([
    ['was injected', [7, 8], 'Injected', 0],
    ['was injected while its predecessor was voided', [7, 7, 8], 'Injected', 1],
    ['was not injected', [7, 7, 7], 'NotInjected', 1],
  ])('shows a successor that it %s', async (_, calls, found, taken) => {
    const { charges, fault } = fenced({ calls });
    const { marker } = await fault.prepare(10_000, signal);
    const { length } = charges;
    expect(await fault.inquire(marker)).toBe(found);
    expect(charges.length - length).toBe(taken);
  });
});

const NO_SENTINELS = {};
it.each(
  FAULT_TYPES.flatMap(({ mechanisms, type }: FaultType) =>
    Object.entries(mechanisms).flatMap(([via, mechanism]) => [
      { type, via, mechanism, topology: 'a single Redis', target: NO_SENTINELS },
      { type, via, mechanism, topology: 'a primary under Sentinels', target: { sentinels: {} } },
    ]),
  ),
)('$type via $via of $topology is not injected if others use it by then', async ({ mechanism, target }) => {
  const message = 'others use it';
  const checkStore = async (): Promise<StoreCheck> => ({
    state: 'refused',
    admission: { reason: 'SharedRedis', message },
  });
  // With nothing else: no command can be sent.
  const tools = { checkStore, proxy: {}, redis: {}, target: { pods: [], ...target } };
  const options = { latencyMs: 300, lingerMs: 0, fixture: () => 'f', counts: () => [], scripts: false };
  const fault = mechanism.create(tools as unknown as FaultTools, options);
  const moment = { plannedAt: 0, until: 1000 };
  const record = (): void => expect.fail();
  await expect(fault.inject(moment, record, { refusal: () => undefined }, signal)).rejects.toThrow(
    StoreRefusedError,
  );
});

it.each([
  ['Confirmed', 'Confirmed', 'Confirmed'],
  ['Confirmed', 'Mismatch', 'Mismatch'],
  ['Inconclusive', 'Confirmed', 'Inconclusive'],
  ['Mismatch', 'Inconclusive', 'Mismatch'],
] as const)('a fault that is %s with a part that is %s is %s', (whole, part, proof) => {
  const report = withProof({ proof: whole, message: 'a', evidence: ['a'] }, { proof: part, message: 'b' });
  expect(report).toEqual({ proof, message: 'a. b', evidence: ['a', 'b'] });
});
