import { describe, expect, it, onTestFinished } from 'vitest';
import { NotInChargeError } from '../../client/fence.ts';
import type { RedisConnections } from '../../client/redis-client.ts';
import { RedisClientError } from '../../client/redis-error.ts';
import type { RedisTarget } from '../../client/redis-target.ts';
import { StoreConnections } from '../../client/store-connections.ts';
import { watchedPrimary } from '../../testing/answering-redis.fixture.ts';
import { startHostileRedis } from '../../testing/hostile-redis.fixture.ts';
import { type FaultTools, NotInjectedError } from '../fault.ts';
import { BySentinel } from './by-sentinel.ts';
import { provenBy } from './former-primary.ts';

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)];
const AT = { port: 6379, tls: false };
const FORMER: RedisTarget = { podName: 'redis-0', host: '10.0.0.7', runId: FIRST, ...AT };
const NEW: RedisTarget = { podName: 'redis-1', host: '10.0.0.8', ...AT };

/** A Redis that takes writes as long as it is a primary. */
class FakeRedis {
  role = 'master';
  readonly name: string;
  runId: string;
  claim: string | null = null;
  failure: Error | undefined;
  writes: 'answered' | 'hang' = 'answered';

  constructor(name: string, runId: string) {
    this.name = name;
    this.runId = runId;
  }

  async takeCharge(): Promise<void> {}
  async warmUp(): Promise<void> {}
  close(): void {}
  async info(): Promise<string> {
    return `run_id:${this.runId}\r\nrole:${this.role}\r\ncmdstat_client|list:calls=1\r\n`;
  }
  async setClaim(id: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.claim = id;
  }
  async openProbeWriter() {
    if (this.writes === 'hang') await new Promise(() => undefined);
    const write = async (): Promise<number> => {
      if (this.role === 'slave') throw new RedisClientError('READONLY', 'READONLY');
      return Date.now();
    };
    return { write, close: () => undefined };
  }
  get connections(): RedisConnections {
    return Object.assign(Object.create(this) as object, {
      claim: async (id: string, onSend: () => void) => {
        onSend();
        await this.setClaim(id);
      },
      claimed: async () => this.claim,
    }) as unknown as RedisConnections;
  }
}

/** A Sentinel that switches as soon as it is sent a failover. */
class FakeSentinel {
  answer = '+OK\r\n';
  /** Failovers that it was sent. */
  sent = 0;
  flags = 'master';
  epoch = 0;
  runId = FIRST;
  address = FORMER.host;
  onFailover: () => void = () => undefined;

  async start(): Promise<RedisTarget> {
    const server = await startHostileRedis((socket) => {
      socket.on('data', (bytes) => {
        socket.write(bytes.includes('FAILOVER') ? this.#failover() : this.#master());
      });
    });
    onTestFinished(() => server.stop());
    return { podName: 'sentinel-0', host: server.host, port: server.port, tls: false };
  }

  #failover(): string {
    this.sent += 1;
    if (this.answer !== '+OK\r\n') return this.answer;
    Object.assign(this, { runId: '', address: NEW.host, epoch: this.epoch + 1 });
    this.onFailover();
    return this.answer;
  }

  #master(): string {
    return watchedPrimary({
      ip: this.address,
      runid: this.runId,
      flags: this.flags,
      'config-epoch': String(this.epoch),
      'role-reported-time': '60000',
    });
  }
}

interface World {
  /** The pods that the Service leads to after the failover. */
  readonly leadsTo?: RedisTarget;
  readonly sentinels?: 1 | 2;
}

async function prepared({ leadsTo = NEW, sentinels = 1 }: World = {}) {
  const former = new FakeRedis('redis-0 (10.0.0.7:6379)', FIRST);
  const successor = new FakeRedis('redis-1 (10.0.0.8:6379)', SECOND);
  const sentinel = new FakeSentinel();
  const second = new FakeSentinel();
  const servers = [await sentinel.start(), ...(sentinels === 2 ? [await second.start()] : [])];
  const redis = new StoreConnections([FORMER], ({ host }) =>
    host === FORMER.host ? former.connections : successor.connections,
  );
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const tools = {
    redis,
    now: () => performance.timeOrigin + performance.now(),
    checkStore: async () => ({ state: 'free' }),
    findStore: async () => [leadsTo],
    target: { redis: [FORMER] },
    lifetime: over.signal,
  } as unknown as FaultTools;
  const fault = new BySentinel(tools, { masterName: 'limits', servers }, () => 'x');
  const { marker } = await fault.prepare(1000, over.signal);
  const record = (): void => undefined;
  const inject = async (refusal: () => string | undefined = () => undefined, ms = 1500) => {
    const plannedAt = tools.now();
    return await fault.inject({ plannedAt, until: plannedAt + ms }, record, { refusal }, over.signal);
  };
  return { fault, former, inject, marker, over, redis, second, sentinel, servers, successor };
}

describe('a failover', () => {
  it('ends once the former primary is a replica and the new one takes writes', async () => {
    const { fault, former, inject, over, redis, sentinel } = await prepared();
    sentinel.onFailover = () => void setTimeout(() => Object.assign(former, { role: 'slave' }), 500);
    expect(await inject()).toMatchObject({ proof: 'Confirmed', startedAt: expect.any(Number) });
    expect(fault.isActive).toBe(true);
    const ended = await fault.awaitEnd(over.signal);
    expect(ended).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
    expect(ended.evidence.join()).toMatch(/redis-1 .* took a write .*redis-0 .*replica.*took writes/);
    expect(fault.isActive).toBe(false);
    // All later commands of the run go to the new one.
    expect(redis.name).toBe('redis-1 (10.0.0.8:6379)');
    expect(redis.failover).toMatchObject({ former: 'redis-0 (10.0.0.7:6379)', hasMoved: true });
    expect(sentinel.sent).toBe(1);
  });

  it('is reported by the first Sentinel that knows it, and followed then', async () => {
    const { inject, redis, sentinel, second } = await prepared({ sentinels: 2 });
    // The one that leads has the new epoch, and reports the former primary to the end.
    sentinel.onFailover = () => {
      Object.assign(sentinel, { runId: FIRST, address: FORMER.host, epoch: 1 });
      Object.assign(second, { runId: '', address: NEW.host, epoch: 1 });
    };
    const report = await inject();
    expect(report).toMatchObject({ proof: 'Confirmed', message: expect.stringContaining(NEW.host) });
    await redis.follow();
    expect(redis.failover).toMatchObject({ hasMoved: true });
  });

  it('is not proven while the former primary takes writes', async () => {
    const { fault, inject, over } = await prepared();
    await inject();
    const ended = await fault.awaitEnd(over.signal);
    expect(ended.proof).toBe('Inconclusive');
    expect(ended.message).toMatch(/that redis-0 .* was not seen; redis-1 .* took a write/);
  });

  it('is not proven, nor followed, if the Service does not lead to the new primary', async () => {
    const { fault, former, inject, over, redis, sentinel } = await prepared({ leadsTo: FORMER });
    sentinel.onFailover = () => Object.assign(former, { role: 'slave' });
    await inject();
    const ended = await fault.awaitEnd(over.signal);
    expect(ended.proof).toBe('Inconclusive');
    expect(ended.message).toMatch(/redis\.serviceName leads to redis-0 .* report 10\.0\.0\.8:6379 .*label/);
    expect(redis.name).toBe('redis-0 (10.0.0.7:6379)');
  });

  it.each([
    ['no other primary is reported', FIRST],
    ['a Sentinel restarts and reports the former primary without a run_id', ''],
  ])('is not proven if %s', async (_, runId) => {
    const { fault, inject, sentinel } = await prepared();
    sentinel.onFailover = () => Object.assign(sentinel, { runId, address: FORMER.host });
    const report = await inject(undefined, 500);
    expect(report).toMatchObject({ proof: 'Inconclusive', startedAt: expect.any(Number) });
    // It may still be under way.
    expect(report.endedAt).toBeUndefined();
    expect(fault.isActive).toBe(false);
  });

  it.each([
    ['without a permit', 0],
    ['if the permit is withdrawn once it is claimed', 1],
  ])('is not sent %s', async (_, permitted) => {
    const { inject, redis, sentinel } = await prepared();
    let consulted = 0;
    const refusal = (): string | undefined => ((consulted += 1) > permitted ? 'not in charge' : undefined);
    await expect(inject(refusal)).rejects.toThrow('not in charge');
    expect(sentinel.sent).toBe(0);
    expect(redis.failover).toBeUndefined();
  });

  it('is not sent if another process is in charge, the Sentinel is gone, or on abort', async () => {
    const taken = await prepared();
    taken.former.failure = new NotInChargeError();
    await expect(taken.inject()).rejects.toThrow(NotInjectedError);
    const unreachable = await prepared();
    Object.assign(unreachable.servers[0] ?? {}, { port: 1 });
    await expect(unreachable.inject()).rejects.toThrow(NotInjectedError);
    const aborted = await prepared();
    aborted.over.abort(new Error('aborted'));
    await expect(aborted.inject()).rejects.toThrow('aborted');
    expect([taken.sentinel.sent, aborted.sentinel.sent]).toEqual([0, 0]);
  });
});

describe('a successor of the process that announced a failover', () => {
  it('may plan it again if it was not claimed, and nothing has changed', async () => {
    const { fault, marker } = await prepared();
    expect(await fault.inquire(marker)).toBe('NotInjected');
  });

  it.each<[string, (world: Awaited<ReturnType<typeof prepared>>) => void]>([
    [
      'it was claimed, whether or not it was sent',
      ({ former, marker }) => (former.claim = marker.split('/')[2] ?? ''),
    ],
    ['a failover is in progress', ({ sentinel }) => (sentinel.flags = 'master,failover_in_progress')],
    ['there was one since', ({ sentinel }) => (sentinel.epoch += 1)],
    ['the Service leads to another server', ({ former }) => (former.runId = SECOND)],
    ['the Sentinels report another server', ({ sentinel }) => (sentinel.runId = SECOND)],
  ])('does not if %s', async (_, change) => {
    const world = await prepared();
    change(world);
    expect(await world.fault.inquire(world.marker)).toBe('Unknown');
  });
});

const primary = { name: 'redis-1', takenAt: 2500 };

it.each([
  [
    'Confirmed',
    { replicaAt: 12_000, takenAt: 11_500 },
    primary,
    /at least 9000 ms, .* took writes; those to redis-0 are lost/,
  ],
  ['Confirmed', { replicaAt: 2000, takenAt: 1500 }, primary, /redis-0 .* at most 1000 ms after the command$/],
  ['Confirmed', { replicaAt: 1100 }, primary, /redis-1 .* at most 1500 ms after the command, .* 100 ms /],
  ['Inconclusive', { takenAt: 19_000 }, primary, /redis-1 took a write at most 1500 ms /],
  ['Inconclusive', { replicaAt: 12_000, takenAt: 11_500 }, { missing: 'no pod' }, / 11000 ms .*; no pod/],
] as const)('the proof of a failover %s: %j and %j', (proof, former, found, text) => {
  const proven = provenBy(1000, [{ name: 'redis-0', ...former }], found);
  expect(proven).toMatchObject({ proof });
  expect(proven.evidence.join()).toMatch(text);
});
