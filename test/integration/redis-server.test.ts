import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LocalError } from '../../src/local/errors.ts';
import { type RedisServer, startRedis } from '../../src/local/redis-server.ts';
import { certificateFor } from '../kit/certificate.ts';

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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves to the error's code; fails when the promise does not reject with a LocalError. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  if (error instanceof LocalError) return error.code;
  throw new Error(`not a LocalError: ${String(error)}`);
}

describe('startRedis', () => {
  it('answers commands on a free port, keeps nothing on disk, and is gone after stop', async () => {
    const server = await start();
    const redis = client(server);
    expect(await redis.set('a', '1')).toBe('OK');
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    const dir = String((await redis.config('GET', 'dir'))[1]);
    expect(existsSync(dir)).toBe(true);
    expect(server.output()).toContain('Ready to accept connections');

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

  it('takes ACL users, and shows no password on its command line', async () => {
    const server = await start({
      aclUsers: ['user default off', 'user probe on >hunter2 resetchannels -@all +get +ping %R~rl:*'],
    });
    const redis = client(server, { username: 'probe', password: 'hunter2' });
    expect(await redis.get('rl:a')).toBeNull();
    await expect(redis.get('other')).rejects.toThrow(/NOPERM/);
    await expect(redis.set('rl:a', '1')).rejects.toThrow(/NOPERM/);
    if (existsSync(`/proc/${server.pid}/cmdline`)) {
      expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain('hunter2');
    }
  });

  it('speaks TLS only when given certificate files', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const tls = await certificateFor(dir, 'IP:127.0.0.1,DNS:localhost');
    const server = await start({ tls });
    const secure = new Redis({
      host: server.host,
      port: server.port,
      tls: { ca: await readFile(tls.certFile) },
      retryStrategy: () => null,
    });
    onTestFinished(() => secure.disconnect());
    expect(await secure.ping()).toBe('PONG');
    await expect(client(server).ping()).rejects.toThrow(/closed/);
  });

  it('names a taken port and starts nothing', async () => {
    const other = createServer((socket) => socket.end('+PONG\r\n'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    if (port === undefined) throw new Error('no port');
    expect(await codeOf(startRedis({ port }))).toBe('REDIS_PORT_IN_USE');
  });

  it('repeats what Redis said when it refuses its configuration, and no password', async () => {
    expect(await codeOf(startRedis({ aclUsers: ['user probe on >hunter2\nport 1'] }))).toBe(
      'REDIS_CONFIG_INVALID',
    );
    const noDirectory = startRedis({ dir: '/nonexistent/dir' });
    await expect(noDirectory).rejects.toThrow(/nonexistent/);
    expect(await codeOf(noDirectory)).toBe('REDIS_START_FAILED');
    const noSuchRule = startRedis({
      requirepass: 'swordfish',
      aclUsers: ['user probe on >hunter2 +nosuchcommand'],
    });
    await expect(noSuchRule).rejects.toThrow(/nosuchcommand/);
    await expect(noSuchRule).rejects.not.toThrow(/hunter2|swordfish/);
  });

  it('dies with its owner even when that one is killed with SIGKILL', async () => {
    const script = `
      const { startRedis } = await import(${JSON.stringify(new URL('../../src/local/redis-server.ts', import.meta.url).href)});
      const server = await startRedis();
      console.log(server.pid + ' ' + server.port);
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const line = String(await once(owner.stdout, 'data'));
    const [pid = NaN, port = NaN] = line.split(' ').map(Number);
    expect(await readlink(`/proc/${pid}/exe`).catch(() => 'redis')).toMatch(/redis|valkey/);
    owner.kill('SIGKILL');
    await vi.waitFor(
      async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        await expect(once(socket, 'connect').finally(() => socket.destroy())).rejects.toThrow(/ECONNREFUSED/);
      },
      { timeout: 10_000, interval: 20 },
    );
  });
});
