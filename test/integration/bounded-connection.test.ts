/** The commands of the operator on a real Redis, over a connection that accepts no other replies. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisServer, type RedisServerOptions, startRedis } from '../../src/local/redis-server.ts';
import {
  boundedConnection,
  type ConnectionLimits,
} from '../../src/subjects/redis/client/bounded-connection.ts';
import type { RedisTarget } from '../../src/subjects/redis/client/redis-target.ts';
import {
  asFields,
  asText,
  asTime,
  requireOk,
  requireOwnConnection,
} from '../../src/subjects/redis/client/reply-types.ts';
import { certificateFor } from '../kit/certificate.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  cleanups.push(() => server.stop());
  return server;
}

async function connectTo(
  { host, port }: RedisServer,
  target: Partial<RedisTarget> = {},
  limits: Partial<ConnectionLimits> = {},
): Promise<Redis> {
  const redis = boundedConnection(
    { podName: 'redis-0', host, port, tls: false, ...target },
    { connectTimeout: 60_000, commandTimeout: 60_000, ...limits },
  );
  cleanups.push(() => redis.disconnect());
  await redis.connect();
  return redis;
}

/** Every command of the operator and its tests. */
async function askEverything(redis: Redis): Promise<void> {
  expect(await redis.ping()).toBe('PONG');
  expect(asText('INFO', await redis.info())).toMatch(/^run_id:[0-9a-f]{40}\r?$/m);
  expect(asText('INFO', await redis.info('commandstats'))).toContain('cmdstat_ping');

  const clients = asText('CLIENT LIST', await redis.call('CLIENT', 'LIST'));
  const addrs = [...clients.matchAll(/ addr=(\S+)/g)].map(([, addr = '']) => ({ addr }));
  const { localAddress, localPort } = redis.stream;
  requireOwnConnection('CLIENT LIST', addrs, `${localAddress}:${localPort}`);

  requireOk('SET', await redis.set('a', 'ä', 'PX', 60_000));
  expect(await redis.get('a')).toBe('ä');
  expect(await redis.get('none')).toBeNull();
  const before = Date.now();
  const time = asTime('TIME', await redis.time());
  expect(time).toBeGreaterThan(before - 1);
  expect(time).toBeLessThan(Date.now() + 1);

  const counters = Array.from({ length: 256 }, (_, index): [string, string] => [
    `node-${index}`,
    String(index),
  ]);
  await redis.hset('rl:a', new Map(counters));
  expect(asFields('HGETALL', await redis.hgetall('rl:a'))).toEqual(new Map(counters));
  expect(asFields('HGETALL', await redis.hgetall('none'))).toEqual(new Map());

  expect(await redis.eval("return {1, {redis.call('GET', KEYS[1]), {false}}}", 1, 'a')).toEqual([
    1,
    ['ä', [null]],
  ]);
  await expect(redis.call('NOSUCH')).rejects.toThrow(/^ERR unknown command/);
  const pings = Array.from({ length: 500 }, (_, index) => redis.ping(String(index)));
  expect(await Promise.all(pings)).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
}

describe('a bounded connection to a real Redis', () => {
  it('answers every command of the operator', async () => {
    await askEverything(await connectTo(await start()));
  });

  it('answers it over TLS, and takes no certificate of another name', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const tls = await certificateFor(dir, 'DNS:redis.shop.svc');
    const server = await start({ tls, requirepass: 'hunter2' });
    const ca = await readFile(tls.certFile, 'utf8');
    const secure = { tls: true, ca, password: 'hunter2' };
    await askEverything(await connectTo(server, { ...secure, servername: 'redis.shop.svc' }));

    await expect(connectTo(server, { ...secure, servername: 'other.shop.svc' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect(connectTo(server, { tls: true, servername: 'redis.shop.svc' })).rejects.toThrow(
      /self-signed/,
    );
  });

  it('waits for a write that a pause holds back if configured, and else ends', async () => {
    const server = await start();
    const control = await connectTo(server);
    const patient = await connectTo(server, {}, { commandTimeout: undefined });
    const hasty = await connectTo(server, {}, { commandTimeout: 100 });
    requireOk('CLIENT PAUSE', await control.call('CLIENT', 'PAUSE', '60000', 'WRITE'));
    const held = patient.set('a', '1');
    await expect(hasty.set('b', '1')).rejects.toMatchObject({ code: 'REPLY_TIMEOUT' });
    expect(hasty.status).not.toBe('ready');
    requireOk('CLIENT UNPAUSE', await control.call('CLIENT', 'UNPAUSE'));
    expect(await held).toBe('OK');
    // Redis has dropped the commands of the lost connection.
    expect(await control.get('b')).toBeNull();
  });

  it('accepts 1 MiB of CLIENT LIST, and 256 KiB of any other reply', async () => {
    const server = await start();
    const others = await Promise.all(Array.from({ length: 60 }, () => connectTo(server)));
    for (const [index, other] of others.entries())
      await other.call('CLIENT', 'SETNAME', `${index}-`.padEnd(5000, 'x'));
    const admission = await connectTo(server);
    const clients = asText('CLIENT LIST', await admission.call('CLIENT', 'LIST'));
    expect(clients.length).toBeGreaterThan(300_000);
    await admission.set('a', 'x'.repeat(300_000));
    await expect(admission.get('a')).rejects.toMatchObject({
      code: 'PROTOCOL',
      message: expect.stringContaining('more than 262144 bytes'),
    });
  });
});
