import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NotInChargeError } from '../../client/fence.ts';
import { OwnPause } from '../../client/own-pause.ts';
import type { BegunPause } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import type { ProbeEvent } from '../../events.ts';
import { storeOfFake } from '../../testing/fake-store.fixture.ts';
import { useFakeTime } from '../../testing/fake-time.fixture.ts';
import { until } from '../../testing/until.fixture.ts';
import type { FaultTools } from '../fault.ts';
import { FencedPause } from '../fenced-pause.ts';
import { SlowWrites } from './slow-writes.ts';

const LATENCY_MS = 160;
const LONG_MS = 60_000;

useFakeTime();

/** A Redis that holds writes back while it is paused, and answers them in order, on the clock of the test. */
class FakeRedis {
  readonly name: string = 'redis-0';
  /** Lengths of the pauses that it has carried out. */
  readonly pauses: number[] = [];
  /** Accepts pauses, and holds nothing back. */
  lies = false;
  failures: Error[] = [];
  beforeSend: () => void = () => undefined;
  #isBroken = false;
  #pausedUntil = 0;
  #waiting: (() => void)[] = [];
  #lost: ((error: Error) => void)[] = [];
  #dropped: (() => void)[] = [];

  async takeCharge(): Promise<void> {}
  async warmUp(): Promise<void> {}
  async info(): Promise<string> {
    return `run_id:${'a'.repeat(40)}\r\n`;
  }
  async time(): Promise<number> {
    return Date.now();
  }
  async read(): Promise<number> {
    await sleep(1);
    return 1;
  }

  async beginPause(): Promise<BegunPause> {
    return {
      carryOut: async (ms) => {
        this.#fail();
        this.#pause(ms);
      },
      drop: async () => undefined,
    };
  }

  async unpause(): Promise<void> {}

  async preparePause() {
    this.beforeSend();
    return async (ms: number): Promise<void> => {
      const dropped = new Promise<never>((_, reject) => {
        this.#dropped.push(() => reject(new RedisClientError('closed')));
      });
      let isDropped = false;
      dropped.catch(() => {
        isDropped = true;
      });
      const done = this.#inOrder(() => {
        if (isDropped) return;
        this.#fail();
        this.#pause(ms);
      });
      await Promise.race([done, dropped]);
    };
  }

  dropPauses(): void {
    for (const drop of this.#dropped.splice(0)) drop();
  }

  async openProbeWriter() {
    const write = async (): Promise<number> => {
      if (this.#isBroken) throw new RedisClientError('there is no connection');
      const lost = new Promise<never>((_, reject) => void this.#lost.push(reject));
      return await Promise.race([this.#inOrder(() => Date.now()), lost]);
    };
    return { write, close: () => undefined };
  }

  /** Every connection breaks. */
  breakAll(): void {
    this.#isBroken = true;
    for (const lose of this.#lost.splice(0)) lose(new RedisClientError('the connection was lost'));
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }

  #pause(ms: number): void {
    this.pauses.push(ms);
    if (this.lies) return;
    this.#pausedUntil = Date.now() + ms;
    void sleep(ms).then(() => this.#resume());
  }

  /** Until one of them pauses it again. */
  #resume(): void {
    while (this.#waiting.length > 0 && Date.now() >= this.#pausedUntil) this.#waiting.shift()?.();
    if (this.#waiting.length > 0) void sleep(1).then(() => this.#resume());
  }

  async #inOrder<T>(work: () => T): Promise<T> {
    await sleep(1);
    return await new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      this.#resume();
    });
  }
}

/** @param second of a Cluster of two; left out: it is one server */
async function injected(
  change: Partial<FakeRedis> = {},
  {
    ms = LONG_MS,
    refusal = '',
    second,
    signal,
  }: { ms?: number; refusal?: string; second?: Partial<FakeRedis>; signal?: AbortSignal } = {},
) {
  const redis = Object.assign(new FakeRedis(), change);
  const other = Object.assign(new FakeRedis(), { name: 'redis-1', ...second });
  const ownPause = new OwnPause(false);
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const tools = {
    target: {},
    redis: second ? storeOfFake(redis, other) : storeOfFake(redis),
    ownPause,
    lifetime: over.signal,
    now: () => Date.now(),
    usualWriteMs: () => 1,
    checkStore: async () => ({ state: 'free' }),
  } as unknown as FaultTools;
  const fault = new FencedPause(tools, new SlowWrites(tools, LATENCY_MS));
  await fault.prepare(ms, over.signal);
  const events: ProbeEvent[] = [];
  const record = (event: unknown): void => void events.push(event as ProbeEvent);
  const moment = { plannedAt: Date.now(), until: Date.now() + ms };
  const permit = { refusal: () => (refusal === '' ? undefined : refusal) };
  const listener = { record, doubted: () => undefined };
  const report = await fault.inject(moment, listener, permit, signal ?? over.signal);
  const awaitEnd = async () => await fault.awaitEnd(over.signal);
  return { awaitEnd, events, fault, moment, other, over, ownPause, redis, report };
}

/** Waits for so many pauses. */
const untilPaused = async ({ pauses }: FakeRedis, count: number): Promise<void> =>
  await until(() => pauses.length >= count);

/** Longer than from one pause to the next. */
const PAUSES_MS = 4 * LATENCY_MS;

describe('slow writes', () => {
  it('are pauses of half the latency, one after the other, to the planned end', async () => {
    const { awaitEnd, events, fault, moment, redis, report } = await injected({}, { ms: 2000 });
    expect(report).toMatchObject({ proof: 'Confirmed', startedAt: expect.any(Number) });
    expect(fault.isActive).toBe(true);
    const ended = await awaitEnd();
    expect(ended).toMatchObject({ proof: 'Confirmed' });
    expect(ended.endedAt).toBe(moment.until);
    expect(redis.pauses).toEqual([LATENCY_MS, ...Array(23).fill(LATENCY_MS / 2)]);
    // The writes of the probe are recorded with their times.
    const took = events.flatMap(({ state, tookMs = 0 }) => (state === 'Written' ? [tookMs] : []));
    expect(took.filter((ms) => ms >= LATENCY_MS / 2).length).toBeGreaterThanOrEqual(8);
    expect(fault.isActive).toBe(false);
  });

  it.each([
    ['their pause is released', ({ ownPause }: Run) => ownPause.toBeReleased()],
    ['the driver is closed', ({ over }: Run) => over.abort()],
    [
      'another process takes charge',
      ({ redis }: Run) => {
        redis.failures = [new NotInChargeError()];
      },
    ],
    ['their connections break', ({ redis }: Run) => redis.breakAll()],
  ])('end once %s', async (_, end) => {
    const run = await injected();
    await untilPaused(run.redis, 2);
    end(run);
    await sleep(PAUSES_MS);
    const { length } = run.redis.pauses;
    await sleep(PAUSES_MS);
    expect(run.redis.pauses).toHaveLength(length);
  });
});

type Run = Awaited<ReturnType<typeof injected>>;

describe('the proof of slow writes', () => {
  it('is missing from when another has taken charge', async () => {
    const { awaitEnd, redis } = await injected({}, { ms: 1500 });
    await untilPaused(redis, 2);
    redis.failures = [new NotInChargeError()];
    expect(await awaitEnd()).toMatchObject({
      proof: 'Inconclusive',
      message: expect.stringContaining('taken this Redis over'),
    });
  });

  it('is missing if pauses hold no write back, and no more follow', async () => {
    const { redis, report } = await injected({ lies: true });
    expect(report).toMatchObject({ proof: 'Mismatch', endedAt: expect.any(Number) });
    await sleep(PAUSES_MS);
    const { length } = redis.pauses;
    expect(length).toBeLessThan(5);
    await sleep(PAUSES_MS);
    expect(redis.pauses).toHaveLength(length);
  });
});

describe('slow writes to a Cluster', () => {
  it('are pauses of each server, and proven on each', async () => {
    const { awaitEnd, other, redis } = await injected({}, { ms: 2000, second: {} });
    const ended = await awaitEnd();
    expect(ended).toMatchObject({
      proof: 'Confirmed',
      message: expect.stringMatching(/Of 2 servers, redis-[01] was slow for the shortest time/),
    });
    for (const { pauses } of [redis, other]) expect(pauses).toHaveLength(24);
  });

  it('end on all servers once another process takes charge of one', async () => {
    const { other, redis } = await injected({}, { second: {} });
    await untilPaused(redis, 2);
    other.failures = [new NotInChargeError()];
    await sleep(PAUSES_MS);
    const { length } = redis.pauses;
    await sleep(PAUSES_MS);
    expect(redis.pauses).toHaveLength(length);
  });
});

describe('before slow writes', () => {
  it('writes have to be quicker than half of the latency', async () => {
    const prepare = async (usualMs: number) => {
      const redis = storeOfFake(new FakeRedis());
      const tools = { redis, usualWriteMs: () => usualMs };
      const fault = new SlowWrites(tools as unknown as FaultTools, LATENCY_MS);
      await fault.prepare();
    };
    await expect(prepare(79)).resolves.toBeUndefined();
    await expect(prepare(79.5)).rejects.toThrow('more than 160 ms');
  });
});
