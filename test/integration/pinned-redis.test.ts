/** Whom a session may write to and pause, once the address of its Redis has become another's: real servers take turns on one port. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { ServerIdentity, StoreConnections } from '@chaosdemo/redis-faults';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseInfo } from '../../packages/redis-faults/src/client/redis-info.ts';
import { callsOf } from '../kit/calls-of.ts';
import { storeOf } from '../kit/store.ts';

let server: RedisServer;
beforeEach(async () => {
  server = await startRedis({ requirepass: 'hunter2hunter2' });
});
afterEach(() => server.stop());

/** As the API server would say. */
interface Pod {
  isThere: boolean | Error;
  /** How often it was checked. */
  checks: number;
}

/** A session that was admitted to the server that runs now. */
async function admitted(pod: Pod = { isThere: true, checks: 0 }): Promise<StoreConnections> {
  const { runId } = await observe(async (redis) => parseInfo(await redis.info('server')));
  const identity: ServerIdentity = {
    runId,
    podIsThere: async () => {
      pod.checks += 1;
      if (pod.isThere instanceof Error) throw pod.isThere;
      return pod.isThere;
    },
  };
  const { host, port } = server;
  const target = { podName: 'redis-0', host, port, tls: false, password: 'hunter2hunter2' };
  const redis = storeOf(target, 'test', identity);
  onTestFinished(() => redis.close());
  return redis;
}

/** As an attempt makes itself ready to pause: one write on the fence. */
async function ready(redis: StoreConnections): Promise<void> {
  await redis.takeCharge(60_000);
  await redis.warmUp();
}

async function observe<T>(look: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: server.host, port: server.port, password: 'hunter2hunter2' });
  redis.on('error', () => undefined);
  try {
    return await look(redis);
  } finally {
    redis.disconnect();
  }
}

/** What the server that runs now was made to do, by its own statistics. */
async function done(): Promise<{ pauses: number; unpauses: number; writes: number }> {
  return await observe(async (redis) => ({
    pauses: await callsOf(redis, 'client|pause'),
    unpauses: await callsOf(redis, 'client|unpause'),
    writes: await callsOf(redis, 'set'),
  }));
}

const ANOTHER = /redis-0 .*: another server .*admitted .*nothing was written .*: run again/;

describe('a session with the Redis it was admitted to', () => {
  it('pauses no other that has come to its address, and releases none', async () => {
    const redis = await admitted();
    await ready(redis);
    await server.restart();
    await expect(redis.pauseWrites(() => 100)).rejects.toThrow(ANOTHER);
    await expect(redis.unpause()).rejects.toThrow(ANOTHER);
    expect(await done()).toEqual({ pauses: 0, unpauses: 0, writes: 0 });
  });

  it('a session writes only to its own Redis, also after a restart in its pod', async () => {
    const pod: Pod = { isThere: true, checks: 0 };
    const redis = await admitted(pod);
    await ready(redis);
    await server.restart();
    await (await redis.openProbeWriter()).write();
    expect((await done()).writes).toBe(1);

    await server.restart();
    pod.isThere = false;
    await expect(redis.openProbeWriter()).rejects.toThrow(/redis-0 was deleted/);
    pod.isThere = new Error('stalls');
    await expect(redis.openProbeWriter()).rejects.toThrow(/no password .*: stalls/);
    expect((await done()).writes).toBe(0);
  });

  it('sends its password to no server at the address of another pod', async () => {
    const pod: Pod = { isThere: true, checks: 0 };
    const redis = await admitted(pod);
    await ready(redis);
    await server.stop();
    let heard = '';
    let connections = 0;
    const thief = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).on('data', (bytes) => (heard += bytes.toString('latin1')));
      socket.write('+OK\r\n');
    }).listen(server.port, server.host);
    onTestFinished(() => void thief.close());
    await once(thief, 'listening');
    expect((thief.address() as AddressInfo).port).toBe(server.port);
    pod.isThere = false;
    for (const send of [
      () => redis.servers[0].info('server'),
      () => redis.pauseWrites(() => 100),
      () => redis.unpause(),
      () => redis.openProbeWriter(),
    ]) {
      await expect(send()).rejects.toThrow(/deleted .*nothing was sent/);
    }
    expect({ connections, heard }).toEqual({ connections: 0, heard: '' });
  });
});
