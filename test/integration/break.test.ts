/**
 * Fault type Disconnect on a real Redis: the outcome for limiters that lose their connections, and for others that use
 * the same Redis. Reports are compared with what the pods and a separate observer have seen.
 */

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { callsOf } from '../kit/calls-of.ts';
import { type DrivenLimiter, permitAnd } from '../kit/driven-limiter.ts';
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

it.skipIf(withoutRealTime).for([
  { does: 'FailsClosed', admits: counts, options: GIVES_UP },
  { does: 'FailsOpen', admits: opensTo(LIMIT), options: GIVES_UP },
  { does: 'Hangs', admits: counts, options: WAITS },
])(
  'a limiter whose connections to Redis break is found to do what it does: $does',
  ({ does, admits, options }, context) =>
    keepingTime(async () => {
      const { driver, key, lost } = await driven(admits, options);
      const other = await stranger();
      const [mine] = await idsFrom([STRANGER]);
      let before: string[] = [];
      let during: Promise<string[]> | undefined;
      const permit = permitAnd(() => {
        during = idsFrom(ADDRESSES).then(async (ids) => {
          before = ids;
          await sleep(BREAK_MS / 2);
          return await idsFrom(ADDRESSES);
        });
      });
      const reading = await driver.leadThrough('outage', key, BREAK_MS, permit);
      const report = driver.observed.faults['f'];
      expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading.shortfalls).toEqual([]);
      expect(reading.summary).toMatch(new RegExp(`^${does}`));
      // A diagnosis gets what was seen of the store, and names the fault that was injected.
      await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'outage', profile: 'rules' });
      expect(driver.observed.diagnoses['f/diagnosis/rules']?.diagnosis).toMatchObject({
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
      expect(other.slowestMs()).toBeGreaterThan(BREAK_MS / 2);
    })(context),
);

it.skipIf(withoutRealTime)('a Disconnect is not announced if the user of Redis may not kill', async () => {
  const pauses = await callsOf(ground.observer, 'client|pause');
  const { driver, key } = await driven(counts, GIVES_UP, { user: 'helpless' });
  await expect(driver.prepare('outage', key)).rejects.toThrow(
    /CLIENT KILL: NOPERM .*Disconnect .*: grant .*"\+client\|kill"/,
  );
  expect(await callsOf(ground.observer, 'client|pause')).toBe(pauses);
});
