import { existsSync } from 'node:fs';
import { type RedisServer, startRedis, TestbedError } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../../packages/testbed/src/testing.fixture.ts';

async function start(...args: Parameters<typeof startRedis>): Promise<RedisServer> {
  const server = await startRedis(...args);
  onTestFinished(() => server.stop());
  return server;
}

function client(server: RedisServer, options: { username?: string; password?: string } = {}): Redis {
  const redis = new Redis({
    host: server.host,
    port: server.port,
    retryStrategy: () => null,
    commandTimeout: 5_000,
    enableReadyCheck: false,
    ...options,
  });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Resolves to the error's code; fails when the promise does not reject with a TestbedError. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  if (error instanceof TestbedError) return error.code;
  throw new Error(`not a TestbedError: ${String(error)}`);
}

describe('startRedis', () => {
  it('answers commands on a free port, keeps nothing on disk, and is gone after stop', async () => {
    const server = await start();
    const redis = client(server);
    expect(await redis.set('a', '1')).toBe('OK');
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    const dir = String((await redis.config('GET', 'dir'))[1]);
    expect(existsSync(dir)).toBe(true);

    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(dir)).toBe(false);
    await server.stop();
  });

  it('Redis restarts empty after kill9, on the same port with the same users', async () => {
    const server = await start({ requirepass: 'sec"ret \\x' });
    const first = server.pid;
    await client(server, { password: 'sec"ret \\x' }).set('a', '1');
    await server.kill9();
    expect(isAlive(first)).toBe(false);
    await server.restart();
    expect(server.pid).not.toBe(first);
    expect(await client(server, { password: 'sec"ret \\x' }).get('a')).toBeNull();
    await expect(client(server).get('a')).rejects.toThrow(/NOAUTH/);
    const second = server.pid;
    await server.restart();
    expect(isAlive(second)).toBe(false);
    expect(await client(server, { password: 'sec"ret \\x' }).ping()).toBe('PONG');
  });

  it('repeats what Redis said when it refuses its configuration, and no password', async () => {
    const noDirectory = startRedis({ settings: ['dir /nonexistent/dir'] });
    await expect(noDirectory).rejects.toThrow(/nonexistent/);
    expect(await codeOf(noDirectory)).toBe('PROCESS_EXITED');
    const noSuchRule = startRedis({
      requirepass: 'swordfish',
      aclUsers: ['user probe on >hunter2 +nosuchcommand'],
    });
    await expect(noSuchRule).rejects.toThrow(/nosuchcommand/);
    await expect(noSuchRule).rejects.not.toThrow(/hunter2|swordfish/);
  });
});
