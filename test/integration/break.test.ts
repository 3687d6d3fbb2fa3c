/**
 * Fault type Disconnect on a real Redis: what becomes of limiters that lose their connections, of others that use the same
 * Redis, and of the fault once it is released or taken over. Reports are compared with what the pods and a separate
 * observer have seen.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { REDIS_ACL, RedisConnections } from '../../src/subjects/ratelimiter/index.ts';
import { startDelayingProxy } from '../kit/delaying-proxy.ts';
import type { DrivenLimiter } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import type { PlantedOptions } from '../kit/planted-pod.ts';
import { until } from '../kit/until.ts';
import {
  ADDRESSES,
  type Admits,
  countsTo,
  drivenPods,
  eventsOf,
  GIVES_UP,
  opensTo,
  WAITS,
} from './support/planted-pods.ts';

const LIMIT = 10;
const BREAK_MS = 4000;
const STRANGER = '127.0.0.69';

const counts = countsTo(LIMIT);

let ground: NodesOnRedis;
beforeAll(async () => {
  const rights = `${REDIS_ACL} +client|kill`;
  ground = await NodesOnRedis.start(
    ['approximate'],
    [userLine('operator', rights), userLine('helpless', REDIS_ACL)],
  );
});
afterAll(() => ground?.stop());

/** Pods that decide so, and a driver of a Disconnect on them. */
async function driven(
  admits: Admits,
  options: PlantedOptions,
  { addresses = ADDRESSES, user = 'operator', ms = BREAK_MS } = {},
) {
  /** Connections that each pod has lost. */
  const lost = new Map<string, number>();
  const pods = addresses.map((address, i) => {
    const note = (): void => void lost.set(`api-${i}`, (lost.get(`api-${i}`) ?? 0) + 1);
    return { address, onStore: (store: Redis): void => void store.on('close', note) };
  });
  const fault = { type: 'Disconnect', duration: `${ms}ms` };
  return { ...(await drivenPods(ground, { admits, options, pods, fault, limit: LIMIT, user })), lost };
}

/** What the observer sees in CLIENT LIST of these addresses: ids of connections. */
async function idsFrom(addresses: readonly string[]): Promise<string[]> {
  const list = String(await ground.observer.call('CLIENT', 'LIST'));
  return list
    .split('\n')
    .filter((line) => addresses.some((address) => line.includes(` addr=${address}:`)))
    .map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '');
}

/** How often Redis has carried the command out, by its own count. */
async function calls(command: 'kill' | 'pause'): Promise<number> {
  const info = await ground.observer.info('commandstats');
  return Number(new RegExp(`cmdstat_client\\|${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

function connectionsEnded(driver: DrivenLimiter): Record<string, number> {
  const last = eventsOf(driver).findLast(
    (event) => event.kind === 'fault' && event.step === 'ConnectionsEnded',
  );
  return last?.kind === 'fault' && last.step === 'ConnectionsEnded' ? last.connections : {};
}

/** A client at another address that writes at intervals; its answers, and whether it was disconnected. */
async function stranger(): Promise<{ readonly socket: Socket; readonly slowestMs: () => number }> {
  const { host, port } = ground.redis;
  const socket = connect({ host, port, localAddress: STRANGER });
  let [sentAt, slowestMs] = [performance.now(), 0];
  let waits = false;
  socket.on('error', () => undefined);
  socket.on('data', () => {
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    waits = false;
  });
  const work = setInterval(() => {
    if (waits) return;
    [sentAt, waits] = [performance.now(), true];
    socket.write('INCR stranger\r\n');
  }, 50);
  onTestFinished(() => {
    clearInterval(work);
    socket.destroy();
  });
  await until(() => slowestMs > 0, { what: 'the stranger to be answered' });
  return { socket, slowestMs: () => slowestMs };
}

describe.skipIf(withoutRealTime)('a limiter whose connections to Redis break', () => {
  it.for([
    { does: 'FailsClosed', admits: counts, options: GIVES_UP },
    { does: 'FailsOpen', admits: opensTo(LIMIT), options: GIVES_UP },
    { does: 'Hangs', admits: counts, options: WAITS },
  ])('is found to do what it does: $does', ({ does, admits, options }, context) =>
    keepingTime(async () => {
      const { driver, key, lost } = await driven(admits, options);
      const other = await stranger();
      const [mine] = await idsFrom([STRANGER]);
      let before: string[] = [];
      let during: Promise<string[]> | undefined;
      const permit = {
        refusal: () => {
          during = idsFrom(ADDRESSES).then(async (ids) => {
            before = ids;
            await sleep(BREAK_MS / 2);
            return await idsFrom(ADDRESSES);
          });
          return undefined;
        },
      };
      const reading = await driver.leadThrough('outage', key, BREAK_MS, permit);
      const report = driver.observed.faults['f'];
      expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading.shortfalls).toEqual([]);
      expect(reading.summary).toMatch(new RegExp(`^${does}`));
      // A diagnosis gets what was seen of the store, and names the fault that was injected.
      await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'outage', profile: 'rules' });
      expect(driver.observed.diagnoses['f/rules']?.diagnosis).toMatchObject({
        class: 'store-connections-broken',
        component: 'store',
        grade: { localization: 'Right', identification: 'Right', action: 'Right' },
      });
      // Seen from outside: of the connections that stood before it, none is left.
      expect(before.length).toBeGreaterThanOrEqual(ADDRESSES.length);
      expect((await during)?.filter((id) => before.includes(id))).toEqual([]);
      // Each connection that a pod lost is one that was reported, and none was reported besides.
      expect(connectionsEnded(driver)).toEqual(Object.fromEntries([...lost].toSorted()));
      expect(Math.min(...lost.values())).toBeGreaterThan(10);
      // The stranger was not cut off, and waited as in a stall.
      expect(await idsFrom([STRANGER])).toEqual([mine]);
      expect(other.slowestMs()).toBeGreaterThan(BREAK_MS - 500);
    })(context),
  );
});

describe.skipIf(withoutRealTime)('a Disconnect', () => {
  const LONG_MS = 20_000;

  /** A driver whose Disconnect is active and proven. */
  async function active() {
    const run = await driven(counts, GIVES_UP, { ms: LONG_MS });
    await run.driver.prepare('outage', run.key);
    expect(await run.driver.inject('outage', run.key, LONG_MS)).toMatchObject({ proof: 'Confirmed' });
    onTestFinished(() => ground.observer.call('CLIENT', 'UNPAUSE').then(() => undefined));
    return run;
  }

  /** No kill follows, and connections of the pods stay. */
  async function expectNoMoreKills(): Promise<void> {
    const kills = await calls('kill');
    await until(async () => (await idsFrom(ADDRESSES)).length >= ADDRESSES.length, {
      what: 'the pods to be back',
    });
    const ids = await idsFrom(ADDRESSES);
    await sleep(500);
    expect(await calls('kill')).toBe(kills);
    expect(await idsFrom(ADDRESSES)).toEqual(expect.arrayContaining(ids));
  }

  it('ends more connections of a pod than one reply may list, and counts them', (context) =>
    keepingTime(async () => {
      const run = await driven(counts, GIVES_UP, { ms: LONG_MS });
      const { host, port } = ground.redis;
      const sockets = Array.from({ length: 700 }, () =>
        connect({ host, port, localAddress: ADDRESSES[0] }).on('error', () => undefined),
      );
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
      });
      await until(async () => (await idsFrom(ADDRESSES)).length > 700, { what: 'all connections' });
      await run.driver.prepare('outage', run.key);
      onTestFinished(() => ground.observer.call('CLIENT', 'UNPAUSE').then(() => undefined));
      expect(await run.driver.inject('outage', run.key, LONG_MS)).toMatchObject({ proof: 'Confirmed' });
      expect(connectionsEnded(run.driver)['api-0']).toBeGreaterThanOrEqual(700);
      expect(sockets.filter((socket) => !socket.destroyed)).toEqual([]);
    })(context));

  it('ends with its release: no more kills, and writes are taken', (context) =>
    keepingTime(async () => {
      const { driver } = await active();
      const effect = { kind: 'Restore' as const, id: 'r', fixtures: [], release: true };
      expect(await driver.perform(effect)).toMatchObject({ restored: { faultOver: true } });
      await expectNoMoreKills();
      expect(await ground.observer.incr('after-release')).toBeGreaterThan(0);
    })(context));

  it('kills no more once its process is gone, and only the pause is left', (context) =>
    keepingTime(async () => {
      const { driver } = await active();
      await driver.close();
      await expectNoMoreKills();
      const write = ground.observer.duplicate();
      onTestFinished(() => write.disconnect());
      const held = write.incr('after-close').then(() => 'taken');
      expect(await Promise.race([held, sleep(500).then(() => 'held')])).toBe('held');
    })(context));

  // So long after the kill was begun, with a second from each step to the next: WATCH, MULTI, and the kill itself.
  it.for([500, 1500, 2500])(
    'ends no connection if another takes charge %i ms after the kill was begun',
    (afterMs, context) =>
      keepingTime(async () => {
        const proxy = await startDelayingProxy(ground.redis);
        const { host, port } = proxy;
        const redis = new RedisConnections({ ...ground.target('operator'), host, port }, 'late');
        onTestFinished(async () => {
          redis.close();
          await proxy.stop();
        });
        await redis.takeCharge(60_000);
        await redis.killClients(['9223372036854775807']);
        await stranger();
        const [id = ''] = await idsFrom([STRANGER]);
        proxy.delayMs.toServer = 1000;
        const late = redis.killClients([id]);
        late.catch(() => undefined);
        await sleep(afterMs);
        const successor = new RedisConnections(ground.target('operator'), 'successor');
        onTestFinished(() => successor.close());
        await successor.takeCharge(60_000);
        await expect(late).rejects.toThrow('has taken this Redis over');
        expect(await idsFrom([STRANGER])).toEqual([id]);
      })(context),
  );

  it('is not announced if the user of Redis may not kill', async () => {
    const pauses = await calls('pause');
    const { driver, key } = await driven(counts, GIVES_UP, { user: 'helpless' });
    await expect(driver.prepare('outage', key)).rejects.toThrow(
      /CLIENT KILL: NOPERM .*Disconnect .*: grant .*"\+client\|kill"/,
    );
    expect(await calls('pause')).toBe(pauses);
  });

  it('is not announced if Redis sees no connection from the addresses of the pods', async () => {
    const pauses = await calls('pause');
    // As behind a proxy: what the pods send comes from the address of the operator.
    const { driver, key } = await driven(counts, GIVES_UP, { addresses: ['127.0.0.1'] });
    await expect(driver.prepare('outage', key)).rejects.toThrow(/no connection .*of api-0/);
    expect(await calls('pause')).toBe(pauses);
  });
});
