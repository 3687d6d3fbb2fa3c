import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CountPlace } from '../../client/count-place.ts';
import { NotInChargeError } from '../../client/fence.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import { storeOfFake } from '../../testing/fake-store.fixture.ts';
import { useFakeTime } from '../../testing/fake-time.fixture.ts';
import { type FaultTools, NotInjectedError } from '../fault.ts';
import { LostCounts, provenBy } from './data-loss.ts';

useFakeTime();

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)];
const PLACES: readonly CountPlace[] = ['x', 'y'].map((name) => ({
  key: `rl:demo-${name}`,
  type: 'String',
  pattern: 'rl:demo-*',
}));
const gone = { before: 3, after: 0 };

/** A Redis with the counts of two callers. */
class FakeRedis {
  readonly name: string = 'redis-0';
  /** Keys that are on another server. */
  elsewhere: readonly string[] = [];
  /** Of each transaction: the keys, and whether scripts go, too. */
  readonly removed: unknown[] = [];
  readonly rehearsed: unknown[] = [];
  runId = FIRST;
  /** Answers so late; milliseconds. */
  tookMs = 0;
  lost = [gone, gone];
  isOfCluster = false;
  failure: Error | undefined;
  /** How many transactions are carried out before the failure. */
  failsAfter = 0;
  infoFailure: Error | undefined;
  rehearsalFailure: Error | undefined;

  has(key: string): boolean {
    return !this.elsewhere.includes(key);
  }
  async takeCharge(): Promise<void> {}
  async warmUp(): Promise<void> {}
  async info(): Promise<string> {
    if (this.infoFailure) throw this.infoFailure;
    return `run_id:${this.runId}\r\ncmdstat_client|list:calls=1\r\ncmdstat_unlink:calls=${this.removed.length}\r\n`;
  }
  async transaction(_: string, commands: readonly (readonly string[])[], onSend?: () => void) {
    if (commands.some(([command, key]) => command === 'UNLINK' && key === undefined)) {
      throw new RedisClientError('wrong number of arguments', 'ERR');
    }
    const keys = commands.find(([command]) => command === 'UNLINK')?.slice(1) ?? [];
    const what = [keys, commands.some(([command]) => command === 'SCRIPT')];
    if (!onSend && this.rehearsalFailure) throw this.rehearsalFailure;
    if (!onSend) {
      this.rehearsed.push(what);
      return [];
    }
    onSend();
    await sleep(this.tookMs);
    if (this.failure && this.removed.length >= this.failsAfter) throw this.failure;
    this.removed.push(what);
    const between = commands.slice(keys.length, commands.length - keys.length).map(() => 1);
    const { lost } = this;
    return [...lost.map(({ before }) => before), ...between, ...lost.map(({ after }) => after)];
  }
}

async function prepared(change: Partial<FakeRedis> = {}, scripts = false, second?: Partial<FakeRedis>) {
  const redis = Object.assign(new FakeRedis(), change);
  const others = second ? [Object.assign(new FakeRedis(), { name: 'redis-1', ...second })] : [];
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const tools = {
    redis: storeOfFake(redis, ...others),
    target: {},
    now: () => Date.now(),
    checkStore: async () => ({ state: 'free' }),
  };
  const fault = new LostCounts(tools as unknown as FaultTools, { counts: () => PLACES, scripts });
  const { marker } = await fault.prepare(1000, over.signal);
  const events: unknown[] = [];
  const record = (event: unknown): void => void events.push(event);
  const inject = async (ms = 50, refusal?: string, inMs = 0) => {
    const plannedAt = Date.now() + inMs;
    const permit = { refusal: () => refusal };
    return await fault.inject({ plannedAt, until: plannedAt + ms }, record, permit, over.signal);
  };
  return { events, fault, inject, marker, others, over, redis };
}

describe('lost counts', () => {
  it.each([false, true])('are removed in one transaction, with scripts: %s', async (scripts) => {
    const { events, inject, redis } = await prepared({}, scripts);
    expect(await inject()).toMatchObject({ proof: 'Confirmed', startedAt: expect.any(Number) });
    const what = [['rl:demo-x', 'rl:demo-y'], scripts];
    // The rights for the same commands were checked before.
    expect(redis).toMatchObject({ removed: [what], rehearsed: [what] });
    expect(events).toEqual([expect.objectContaining({ step: 'CountsLost', keys: 2, total: 6 })]);
  });

  it('begin before the first may be gone, and are gone once all are', async () => {
    const { events, inject } = await prepared({ elsewhere: [], tookMs: 30 }, false, { elsewhere: [] });
    const before = Date.now();
    const { startedAt } = await inject(500, undefined, 200);
    expect(startedAt).toBe(before + 200);
    expect(events).toEqual([expect.objectContaining({ at: before + 230 })]);
  });

  it.each<[string, Partial<FakeRedis>]>([
    ['is restarted', { runId: SECOND }],
    ['does not answer', { infoFailure: new RedisClientError('no answer') }],
  ])('are not proven if Redis %s at the end of that time', async (_, change) => {
    const { fault, inject, over, redis } = await prepared();
    await inject();
    Object.assign(redis, change);
    expect(await fault.awaitEnd(over.signal)).toMatchObject({ proof: 'Inconclusive' });
  });

  it.each([
    ['without a permit', {}, 'not in charge'],
    ['once another process has taken charge', { failure: new NotInChargeError() }, undefined],
  ] as const)('are not removed %s', async (_, change, refusal) => {
    const { inject, redis } = await prepared(change);
    await expect(inject(50, refusal)).rejects.toThrow(refusal ?? 'taken this Redis over');
    expect(redis.removed).toEqual([]);
  });

  it('may be lost or not if Redis does not answer', async () => {
    const { fault, inject } = await prepared({ failure: new RedisClientError('no answer') });
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Inconclusive' });
    expect(report.startedAt).toBeUndefined();
    expect(fault.isActive).toBe(false);
  });
});

it.each([
  [false, '"+unlink ~rl:demo-*"'],
  [true, '"+unlink ~rl:demo-* +script|flush"'],
])('the rights that are missing are named, with scripts: %s', async (scripts, rights) => {
  const rehearsalFailure = new RedisClientError('NOPERM', 'NOPERM');
  await expect(prepared({ rehearsalFailure }, scripts)).rejects.toThrow(rights);
  const silent = prepared({ rehearsalFailure: new RedisClientError('no answer') }, scripts);
  await expect(silent).rejects.toThrow(/^no answer$/);
});

describe('lost counts in two slots of one server of a Cluster', () => {
  const inSlots = { isOfCluster: true, lost: [gone] };

  it.each([false, true])('are removed slot by slot, with scripts once: %s', async (scripts) => {
    const { inject, redis } = await prepared(inSlots, scripts);
    expect(await inject()).toMatchObject({ proof: 'Confirmed' });
    expect(redis.removed).toEqual([
      [['rl:demo-x'], scripts],
      [['rl:demo-y'], false],
    ]);
  });
});

describe('lost counts of a Cluster', () => {
  const [X, Y] = ['rl:demo-x', 'rl:demo-y'] as const;
  const ofOne = (elsewhere: string) => ({ elsewhere: [elsewhere], lost: [gone] });

  it.each([false, true])('are removed from the server of each, with scripts: %s', async (scripts) => {
    const { events, inject, others, redis } = await prepared(ofOne(Y), scripts, ofOne(X));
    expect(await inject()).toMatchObject({ proof: 'Confirmed' });
    expect([redis.removed, others[0]?.removed]).toEqual([[[[X], scripts]], [[[Y], scripts]]]);
    expect(events).toEqual([expect.objectContaining({ step: 'CountsLost', keys: 2, total: 6 })]);
  });

  it.each([
    [false, []],
    [true, [[[], true]]],
  ])('concern a server without any only with scripts: %s', async (scripts, removed) => {
    const { inject, others } = await prepared({}, scripts, { elsewhere: [X, Y], lost: [] });
    expect(await inject()).toMatchObject({ proof: 'Confirmed' });
    expect(others[0]?.removed).toEqual(removed);
  });

  it.each<[string, string | undefined, Partial<FakeRedis>, Partial<FakeRedis>]>([
    [
      'are not removed if no server is in charge',
      undefined,
      { failure: new NotInChargeError() },
      { failure: new NotInChargeError() },
    ],
    ['may be lost if one server was taken over', 'Inconclusive', {}, { failure: new NotInChargeError() }],
    [
      'may be lost if one server does not answer',
      'Inconclusive',
      { failure: new NotInChargeError() },
      { failure: new RedisClientError('no answer') },
    ],
  ])('%s', async (_, proof, first, second) => {
    const { inject } = await prepared({ ...ofOne(Y), ...first }, false, { ...ofOne(X), ...second });
    if (proof === undefined) await expect(inject()).rejects.toThrow(NotInjectedError);
    else expect(await inject()).toMatchObject({ proof });
  });
});

it.each([
  ['Confirmed', [gone, gone]],
  ['Inconclusive', [gone, { before: 0, after: 0 }]],
  ['Mismatch', [gone, { before: 3, after: 3 }]],
  ['Inconclusive', []],
  ['Confirmed', [gone, { before: 0, after: 0, mayBeNone: true }]],
  ['Inconclusive', [{ before: 0, after: 0, mayBeNone: true }]],
] as const)('the proof of lost counts %s: %j', (proof, lost) => {
  expect(provenBy([{ name: 'redis-0', lost }], 'redis-0', false)).toMatchObject({ proof });
});
