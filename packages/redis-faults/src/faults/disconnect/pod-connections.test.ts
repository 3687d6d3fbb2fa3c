import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NotInChargeError } from '../../client/fence.ts';
import { OwnPause } from '../../client/own-pause.ts';
import { RedisClientError, RedisWireError } from '../../client/redis-error.ts';
import { storeOfFake } from '../../testing/fake-store.fixture.ts';
import { useFakeTime } from '../../testing/fake-time.fixture.ts';
import { until } from '../../testing/until.fixture.ts';
import type { FaultTools, RecordEvent } from '../fault.ts';
import { PodConnections } from './pod-connections.ts';

useFakeTime();

const OPERATOR = '10.0.0.9';
const PODS = [
  { name: 'api-0', host: '10.0.0.1', port: 80 },
  { name: 'api-1', host: '10.0.0.2', port: 80 },
];

/** As much of Redis as it goes by: its clients, each of which connects again under another id. */
class FakeRedis {
  readonly name: string = 'redis-0';
  readonly killed: string[] = [];
  ips: readonly string[] = ['10.0.0.1', '10.0.0.2'];
  /** Answers that it has ended clients, and ends none. */
  lies = false;
  /** Lists the operator at this address, with this user. */
  operator = `${OPERATOR}:7 user=default`;
  /** Further lines of the list. */
  others: readonly string[] = [];
  /** Before a kill is sent. */
  beforeKill: () => void = () => undefined;
  failures: Error[] = [];
  /** How long each of the next lists takes; milliseconds. */
  listMs: number[] = [];
  listFailure: Error | undefined;
  /** How many ids each kill had. */
  readonly atOnce: number[] = [];
  #next = 1;
  #clients = new Map<string, string>();

  async clientList() {
    if (this.listFailure) throw this.listFailure;
    await sleep(this.listMs.shift() ?? 0);
    const present = new Set(this.#clients.values());
    for (const ip of this.ips) if (!present.has(ip)) this.#clients.set(String((this.#next += 1)), ip);
    const lines = [...this.#clients].map(([id, ip]) => `id=${id} addr=${ip}:1 name= flags=N user=default`);
    const text = [...this.others, ...lines, `id=1 addr=${this.operator}`].join('\n');
    return { text, ownAddr: `${OPERATOR}:7` };
  }

  /** A rehearsal: none is carried out. */
  async transaction(): Promise<readonly []> {
    return [];
  }

  async killClients(ids: readonly string[], onSend: () => void): Promise<boolean[]> {
    this.atOnce.push(ids.length);
    this.beforeKill();
    onSend();
    const failure = this.failures.shift();
    if (failure) throw failure;
    return ids.map((id) => {
      if (this.others.some((line) => line.includes(`id=${id} `))) this.killed.push(id);
      if (!this.#clients.has(id)) return false;
      this.killed.push(this.#clients.get(id) ?? '');
      if (!this.lies) this.#clients.delete(id);
      return true;
    });
  }
}

/** Lists its clients slowly. */
class SlowRedis extends FakeRedis {
  static most = 0;
  static #reading = 0;

  override async clientList() {
    SlowRedis.#reading += 1;
    SlowRedis.most = Math.max(SlowRedis.most, SlowRedis.#reading);
    await sleep(5);
    SlowRedis.#reading -= 1;
    return await super.clientList();
  }
}

/** @param second of a Cluster of two, `more` of a larger one; left out: it is one server */
function started(
  change: Partial<FakeRedis> = {},
  {
    more = [],
    pods = PODS,
    second,
    username = '',
  }: { more?: FakeRedis[]; pods?: typeof PODS; second?: Partial<FakeRedis>; username?: string } = {},
) {
  const redis = Object.assign(new FakeRedis(), change);
  const other = Object.assign(new FakeRedis(), { name: 'redis-1', ...second });
  const ownPause = new OwnPause(false);
  ownPause.begun();
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const clock = { skippedMs: 0 };
  const now = (): number => Date.now() + clock.skippedMs;
  const target = { pods, redis: [{ username }] };
  const tools = {
    lifetime: over.signal,
    now,
    ownPause,
    redis: storeOfFake(redis, ...(second ? [other] : []), ...more),
    target,
  } as unknown as FaultTools;
  const connections = new PodConnections(tools);
  const events: Parameters<RecordEvent>[0][] = [];
  const record: RecordEvent = (event) => void events.push(event);
  const begin = (ms = 60_000): void => connections.begin(now() + ms);
  return { begin, clock, connections, events, other, ownPause, over, record, redis };
}

/** Longer than from one round to the next. */
const ROUNDS_MS = 200;

/** Waits until both pods have lost connections several times. */
const untilEnded = async ({ killed }: FakeRedis): Promise<void> => await until(() => killed.length >= 6);

/** Waits until it has failed as it was to. */
const untilFailed = async ({ failures }: FakeRedis): Promise<void> =>
  await until(() => failures.length === 0);

describe('the connections of the pods', () => {
  it('are ended as often as they are made, and no others', async () => {
    const { begin, connections, events, record, redis } = started({
      ips: ['10.0.0.1', '10.0.0.2', '10.0.0.3', OPERATOR],
    });
    begin();
    await untilEnded(redis);
    expect(await connections.prove(record)).toMatchObject({ proof: 'Confirmed' });
    expect(events).toHaveLength(1);
    connections.stop();
    const figures = `In all, ${redis.killed.length} connections of 2 pods ended in \\d+ rounds`;
    const message = expect.stringMatching(new RegExp(figures));
    expect(connections.result(record)).toMatchObject({ proof: 'Confirmed', message });
    expect(events).toHaveLength(2);
    expect(new Set(redis.killed)).toEqual(new Set(['10.0.0.1', '10.0.0.2']));
    const each = redis.killed.length / 2;
    expect(each).toBeGreaterThan(1);
    expect(events.at(-1)).toMatchObject({
      step: 'ConnectionsEnded',
      connections: { 'api-0': each, 'api-1': each },
    });
  });

  it.each([
    ['its process stops it', ({ connections }: ReturnType<typeof started>) => connections.stop()],
    ['the pause is released', ({ ownPause }: ReturnType<typeof started>) => void (ownPause.released = true)],
    ['the pause has ended', ({ ownPause }: ReturnType<typeof started>) => ownPause.ended()],
    ['the driver is closed', ({ over }: ReturnType<typeof started>) => over.abort()],
    [
      'its time has passed',
      ({ clock }: ReturnType<typeof started>) => {
        clock.skippedMs = 60_000;
      },
    ],
  ])('are left alone once %s', async (_, end) => {
    const run = started();
    run.begin();
    await untilEnded(run.redis);
    end(run);
    const { length } = run.redis.killed;
    await sleep(ROUNDS_MS);
    expect(run.redis.killed).toHaveLength(length);
  });

  it('are never those of the operator, also if a pod has its address', async () => {
    const pods = [...PODS, { name: 'api-2', host: OPERATOR, port: 80 }];
    const { begin, redis } = started({ ips: ['10.0.0.1', '10.0.0.2', OPERATOR] }, { pods });
    begin();
    await untilEnded(redis);
    expect(redis.killed).not.toContain(OPERATOR);
  });

  it.each([
    ['the same', '', []],
    ['another', 'operator', [OPERATOR]],
  ])('at the address of the operator are ended if their user is %s', async (_, username, ended) => {
    const pods = ['api-2', 'api-3'].map((name) => ({ name, host: OPERATOR, port: 80 }));
    const operator = `${OPERATOR}:7 user=${username || 'default'}`;
    const { begin, connections, events, record, redis } = started(
      { ips: [OPERATOR], operator },
      { pods, username },
    );
    begin();
    await sleep(ROUNDS_MS);
    const { proof } = await connections.prove(record);
    expect({ proof, killed: [...new Set(redis.killed)] }).toEqual({
      proof: ended.length > 0 ? 'Confirmed' : 'Inconclusive',
      killed: ended,
    });
    const counts = { 'api-2 and api-3': redis.killed.length };
    expect(events).toEqual(ended.map(() => expect.objectContaining({ connections: counts })));
  });

  it.each([
    ['replica', 'flags=S'],
    ['Sentinel', 'name=sentinel-3bd5ac1c-cmd flags=N'],
  ])('are never those of a %s, also if it is in a pod', async (_, fields) => {
    const { begin, redis } = started({ others: [`id=90 addr=10.0.0.1:98 ${fields} user=default`] });
    begin();
    await untilEnded(redis);
    expect(redis.killed).not.toContain('90');
  });

  it.each([
    ['another has taken charge', new NotInChargeError(), 'taken this Redis over'],
    ['the right to end them is withdrawn', new RedisClientError('NOPERM', 'NOPERM'), 'NOPERM'],
  ])('prove nothing from when %s', async (_, failure, why) => {
    const { begin, connections, record, redis } = started();
    begin();
    await untilEnded(redis);
    redis.failures = [failure];
    await untilFailed(redis);
    await sleep(0);
    connections.stop();
    expect(connections.result(record)).toMatchObject({
      proof: 'Inconclusive',
      message: expect.stringContaining(why),
    });
  });

  it.each([
    [1000, 'Confirmed'],
    [1001, 'Inconclusive'],
  ])('with %i ms between two rounds: %s', async (gapMs, proof) => {
    const { begin, connections, record, redis } = started();
    begin();
    await untilEnded(redis);
    redis.listMs = [gapMs - 50];
    await sleep(2 * gapMs);
    connections.stop();
    expect(connections.result(record)).toMatchObject({ proof });
  });

  it('are ended in transactions whose replies have at most 512 elements', async () => {
    const others = Array.from(
      { length: 2500 },
      (_, i) => `id=${9000 + i} addr=10.0.0.1:98 flags=N user=default`,
    );
    const { begin, connections, events, record, redis } = started({ others });
    begin();
    await untilEnded(redis);
    connections.stop();
    connections.result(record);
    // Redis answers that it has not ended the others.
    const ended = redis.killed.filter((ip) => ip === '10.0.0.1').length;
    expect(events).toEqual([expect.objectContaining({ connections: { 'api-0': ended, 'api-1': ended } })]);
    expect(redis.atOnce.slice(0, 5)).toEqual([512, 512, 512, 512, 454]);
    expect(new Set(redis.killed)).toEqual(
      new Set(['10.0.0.1', '10.0.0.2', ...others.map((_, i) => `${9000 + i}`)]),
    );
  });
});

it('connections that Redis may have ended are reported so, never as not listed', async () => {
  const { begin, connections, record, redis } = started();
  const kill = redis.killClients.bind(redis);
  redis.killClients = async (ids, onSend) => {
    await kill(ids, onSend);
    throw new RedisClientError('the answer was lost');
  };
  begin();
  await until(() => redis.atOnce.length > 1);
  const { message, proof } = await connections.prove(record);
  expect(proof).toBe('Inconclusive');
  expect(message).toMatch(/api-0 and api-1.*not known: the answer was lost/);
});

describe('the connections of the pods to a Cluster', () => {
  it('are ended on each server, and proven if each pod has one on any', async () => {
    const { begin, connections, events, other, record, redis } = started(
      { ips: ['10.0.0.1'] },
      { second: { ips: ['10.0.0.2'] } },
    );
    begin();
    await untilEnded(redis);
    await untilEnded(other);
    expect(await connections.prove(record)).toMatchObject({
      proof: 'Confirmed',
      message: expect.stringMatching(/ of 2 pods ended/),
    });
    connections.stop();
    expect(connections.result(record)).toMatchObject({ proof: 'Confirmed' });
    expect(events.at(-1)).toMatchObject({
      connections: { 'api-0': redis.killed.length, 'api-1': other.killed.length },
    });
  });

  it('are read from at most four servers at the same time', async () => {
    const { connections, record } = started({}, { more: Array.from({ length: 15 }, () => new SlowRedis()) });
    await connections.prove(record);
    expect(SlowRedis.most).toBe(4);
  });

  it('are left alone on all servers once another has taken charge of one', async () => {
    const { begin, connections, other, record, redis } = started({}, { second: {} });
    begin();
    await untilEnded(redis);
    other.failures = [new NotInChargeError()];
    await untilFailed(other);
    await sleep(ROUNDS_MS);
    const { length } = redis.killed;
    await sleep(ROUNDS_MS);
    expect(redis.killed).toHaveLength(length);
    connections.stop();
    expect(connections.result(record)).toMatchObject({ proof: 'Inconclusive' });
  });
});

describe('before a fault', () => {
  it('Redis has to list a connection of a pod', async () => {
    await expect(started({ ips: [OPERATOR] }).connections.prepare()).rejects.toThrow(/api-0 and api-1/);
  });

  it('Redis has to list the connection of the operator', async () => {
    const { connections } = started({ operator: '10.0.0.8:7 user=default' });
    await expect(connections.prepare()).rejects.toThrow(RedisWireError);
  });
});
