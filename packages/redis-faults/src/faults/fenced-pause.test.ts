import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NotInChargeError } from '../client/fence.ts';
import { OwnPause } from '../client/own-pause.ts';
import { RedisClientError } from '../client/redis-error.ts';
import { storeOfFake } from '../testing/fake-store.fixture.ts';
import { useFakeTime } from '../testing/fake-time.fixture.ts';
import type { PodConnections } from './disconnect/pod-connections.ts';
import { type FaultTools, NotInjectedError, type RecordEvent } from './fault.ts';
import { FencedPause } from './fenced-pause.ts';

useFakeTime();

const RUN_ID = 'a'.repeat(40);
const PAUSE_MS = 2000;

/** A Redis that holds writes back while it is paused. */
class FakeRedis {
  readonly name = 'redis-0';
  /** Lengths of its pauses. */
  readonly pauses: number[] = [];
  /** Open connections of probes. */
  open = 0;
  onPause: () => void = () => undefined;
  /** Breaks the connections of probes. */
  breakProbes: () => void = () => undefined;

  async takeCharge(): Promise<void> {}
  async warmUp(): Promise<void> {}
  async unpause(): Promise<void> {}
  async read(): Promise<number> {
    return 1;
  }
  async time(): Promise<number> {
    return Date.now();
  }
  async info(): Promise<string> {
    return `run_id:${RUN_ID}\r\n`;
  }
  async beginPause() {
    const carryOut = async (ms: number): Promise<void> => {
      this.onPause();
      this.pauses.push(ms);
    };
    return { carryOut, drop: async () => undefined };
  }
  async openProbeWriter() {
    this.open += 1;
    const broken = new Promise<never>((_, reject) => {
      this.breakProbes = () => reject(new RedisClientError('lost'));
    });
    broken.catch(() => undefined);
    const write = async (): Promise<number> => {
      await Promise.race([sleep(this.pauses.at(-1) ?? 0), broken]);
      return Date.now();
    };
    return { write, close: () => void (this.open -= 1) };
  }
}

interface World {
  readonly during?: PodConnections;
  /** An earlier process may have left a pause active. */
  readonly mayBeOn?: boolean;
}

/** A pause that was prepared, and the Redis that it was prepared on. */
async function prepared({ during, mayBeOn = false }: World = {}) {
  const redis = new FakeRedis();
  const ownPause = new OwnPause(mayBeOn);
  const over = new AbortController();
  const parts = {
    redis: storeOfFake(redis),
    ownPause,
    now: Date.now,
    usualWriteMs: () => 1,
    target: {},
    checkStore: async () => ({ state: 'free' }),
  } as unknown as FaultTools;
  const fault = new FencedPause(parts, during);
  await fault.prepare(1000, over.signal);
  const doubts: number[] = [];
  const record: RecordEvent = (event) => {
    if (event.kind === 'fault' && event.step === 'Doubted') doubts.push(event.at);
  };
  const plannedAt = Date.now();
  const until = plannedAt + PAUSE_MS;
  const inject = async (refusal?: string) =>
    await fault.inject({ plannedAt, until }, record, { refusal: () => refusal }, over.signal);
  const awaitEnd = async () => await fault.awaitEnd(over.signal);
  return { awaitEnd, doubts, fault, inject, over, ownPause, redis, until };
}

it('is not prepared if what comes with the pause cannot be done', async () => {
  const during = { prepare: async () => Promise.reject(new Error('NOPERM')) } as unknown as PodConnections;
  await expect(prepared({ during })).rejects.toThrow('NOPERM');
});

it('has outlived any pause of an earlier process once it is prepared', async () => {
  const { fault, ownPause } = await prepared({ mayBeOn: true });
  expect(ownPause.state).toBe('unknown');
  fault.prepared();
  expect(ownPause.state).toBe('none');
});

describe('a pause of one Redis', () => {
  it('is active from its proof until its write is accepted', async () => {
    const { awaitEnd, doubts, fault, inject, ownPause, redis, until } = await prepared();
    const began = await inject();
    expect(began).toMatchObject({ proof: 'Confirmed', startedAt: until - PAUSE_MS });
    expect(began.endedAt).toBeUndefined();
    expect(redis.pauses).toEqual([PAUSE_MS]);
    expect([fault.isActive, ownPause.state, redis.open, doubts]).toEqual([true, 'active', 1, []]);
    expect(await awaitEnd()).toMatchObject({ proof: 'Confirmed', endedAt: until });
    expect([fault.isActive, ownPause.state, redis.open, doubts]).toEqual([false, 'none', 0, [until]]);
  });

  it('is in doubt from when the connection of its write is lost', async () => {
    const { doubts, inject, redis } = await prepared();
    await inject();
    await sleep(300);
    const lostAt = Date.now();
    redis.breakProbes();
    await sleep(1);
    expect(doubts).toEqual([lostAt]);
  });

  it('was not sent if another process took charge at the last moment', async () => {
    const { fault, inject, ownPause, redis } = await prepared();
    redis.onPause = () => {
      throw new NotInChargeError();
    };
    await expect(inject()).rejects.toThrow(NotInjectedError);
    expect([fault.isActive, ownPause.state, redis.open]).toEqual([false, 'none', 0]);
  });

  it('may be active if the run was aborted once it was sent', async () => {
    const { fault, inject, over, ownPause, redis } = await prepared();
    redis.onPause = () => over.abort(new Error('aborted'));
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Inconclusive', evidence: [] });
    expect([report.startedAt, report.endedAt]).toEqual([undefined, undefined]);
    expect([fault.isActive, ownPause.state, redis.open]).toEqual([false, 'active', 0]);
  });
});
