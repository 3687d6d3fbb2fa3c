import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Attacked } from '../testing/attacked-client.fixture.ts';
import {
  answering,
  type Behaviour,
  dribbling,
  endlessly,
  type HostileRedis,
  startHostileRedis,
} from '../testing/hostile-redis.fixture.ts';
import { boundedConnection, type ConnectionLimits } from './bounded-connection.ts';

const MIB = 1024 * 1024;
const PROTOCOL = /^the server is not speaking the Redis protocol within bounds: it sent /;

async function hostile(behave: Behaviour): Promise<HostileRedis> {
  const server = await startHostileRedis(behave);
  onTestFinished(() => server.stop());
  return server;
}

function connectionTo({ host, port }: HostileRedis, limits: Partial<ConnectionLimits> = {}): Redis {
  const redis = boundedConnection(
    { podName: 'redis-0', host, port, tls: false },
    { connectTimeout: 60_000, commandTimeout: 60_000, ...limits },
  );
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function gone(server: HostileRedis): Promise<void> {
  await vi.waitFor(() => expect(server.open()).toBe(0), { timeout: 60_000, interval: 5 });
}

/** Queries the server from another process, and returns what that printed. Rejects if it died. */
async function attack(server: HostileRedis, command: readonly string[]): Promise<Attacked> {
  const program = fileURLToPath(new URL('../testing/attacked-client.fixture.ts', import.meta.url));
  const heap = ['--max-old-space-size=256', '--expose-gc'];
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...heap, program, String(server.port), ...command],
    { timeout: 120_000 },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Attacked;
}

interface Attack {
  readonly name: string;
  readonly command: readonly string[];
  readonly behave: Behaviour;
  /** How the bounded connection ends it. */
  readonly code: string;
  readonly message: RegExp;
}

const INFO = ['INFO'];
const attacks: readonly Attack[] = [
  {
    name: 'arrays that announce millions of elements',
    command: INFO,
    behave: answering('*16000000\r\n'.repeat(12)),
    code: 'PROTOCOL',
    message: /more than 512 elements/,
  },
  {
    name: 'a bulk string without an end',
    command: ['HGETALL', 'rl:a'],
    behave: endlessly('*2\r\n$1\r\na\r\n$8000000000\r\n', 'a'.repeat(65_536)),
    code: 'PROTOCOL',
    message: /a reply of more than 262144 bytes/,
  },
  {
    name: 'strings without an end to their number',
    command: ['HGETALL', 'rl:a'],
    behave: endlessly('*512\r\n', `$200000\r\n${'a'.repeat(200_000)}\r\n`),
    code: 'PROTOCOL',
    message: /a reply of more than 262144 bytes/,
  },
  {
    name: 'a reply as large as is taken, one byte a packet',
    command: INFO,
    behave: dribbling('$262000\r\n', 262_000),
    code: 'REPLY_TIMEOUT',
    message: /^no complete reply came within 1000 ms/,
  },
  {
    name: 'silence',
    command: INFO,
    behave: (socket) => socket.resume(),
    code: 'REPLY_TIMEOUT',
    message: /^no complete reply .* 1000 ms, .*ended: check/,
  },
  {
    name: 'a web page',
    command: INFO,
    behave: answering('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
    code: 'PROTOCOL',
    message: /no reply of RESP2; .*Redis .*listens/,
  },
];

it.each(attacks)(
  'a hostile server ends no process and takes no memory with $name',
  async ({ command, behave, ...want }) => {
    const server = await hostile(behave);
    const result = await attack(server, command);
    expect(result).toMatchObject({ outcome: 'rejected', code: want.code });
    expect(result.message).toMatch(want.message);
    if (want.code === 'PROTOCOL') expect(result.message).toMatch(PROTOCOL);
    expect(result.left).toBeLessThan(5 * MIB);
    expect(result.peak).toBeLessThan(20 * MIB);
    expect(server.taken()).toBe(1);
    await gone(server);
  },
);

describe('boundedConnection', () => {
  it("a connection rejects current and later commands with the server's bad reply", async () => {
    const server = await hostile(answering('$2\r\nhi\r\n?\r\n'));
    const redis = connectionTo(server);
    await redis.connect();
    const outcomes = await Promise.allSettled([redis.info(), redis.ping(), redis.hgetall('a')]);
    // The first reply came with the violation: none of it goes through.
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PROTOCOL' } });
    }
    await expect(redis.ping()).rejects.toThrow(PROTOCOL);
    await gone(server);
    expect(redis.status).toBe('end');
  });

  it('a late command ends its connection despite other answers, and the socket', async () => {
    const server = await hostile(answering('+PONG\r\n'));
    const redis = connectionTo(server, { commandTimeout: 100 });
    await redis.connect();
    const [ping, info] = await Promise.allSettled([redis.ping(), redis.info()]);
    expect(ping).toMatchObject({ status: 'fulfilled', value: 'PONG' });
    expect(info).toMatchObject({ status: 'rejected', reason: { code: 'REPLY_TIMEOUT' } });
    await gone(server);
  });

  it('repeats why a server takes no connections, in what can be printed of it', async () => {
    const server = await hostile((socket) => {
      socket.end('-ERR max number of clients reached \u001b[31m\r\n');
    });
    const redis = connectionTo(server);
    await redis.connect().catch(() => undefined);
    await gone(server);
    await expect(redis.ping()).rejects.toMatchObject({
      code: 'REFUSED',
      message: 'ERR max number of clients reached ?[31m',
    });
  });

  it('bounds the time until TLS stands, however lively the server is', async () => {
    const server = await hostile((socket) => {
      // The head of a record of 16 KiB, which never becomes complete.
      socket.write(Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00]));
      const more = setInterval(() => socket.write(Buffer.from([0])), 20);
      socket.on('close', () => clearInterval(more));
      socket.resume();
    });
    const redis = boundedConnection(
      { podName: 'redis-0', host: server.host, port: server.port, tls: true },
      { connectTimeout: 200 },
    );
    await expect(redis.connect()).rejects.toMatchObject({
      code: 'CONNECT_TIMEOUT',
      message: expect.stringMatching(/no connection .*200 ms$/),
    });
    await gone(server);
  });

  it('the error of a rejected command has none of its arguments', async () => {
    const server = await hostile(answering('-WRONGPASS invalid username-password pair\r\n'));
    const redis = boundedConnection(
      {
        podName: 'redis-0',
        host: server.host,
        port: server.port,
        tls: false,
        username: 'a',
        password: 'hunter2',
      },
      { connectTimeout: 60_000, commandTimeout: 60_000 },
    );
    const error: unknown = await redis.connect().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'WRONGPASS invalid username-password pair' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
    expect(error).not.toHaveProperty('command');
  });

  it('settles, whatever the bytes and however they are cut', async () => {
    const parts = fc.array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom(
            '+',
            '-',
            ':',
            '$',
            '*',
            '>',
            '_',
            '1\r\n',
            '\r\n',
            '+OK\r\n',
            '$-1\r\n',
            '*-1\r\n',
            '*2\r\n',
          )
          .map((text) => Buffer.from(text)),
      ),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(parts, async (chunks) => {
        const server = await startHostileRedis((socket) => {
          const send = ([first, ...rest]: Buffer[]): void => {
            if (first === undefined) socket.end();
            else socket.write(first, () => setImmediate(send, rest));
          };
          socket.once('data', () => send(chunks));
          socket.resume();
        });
        const redis = connectionTo(server);
        await redis.connect();
        await Promise.allSettled([redis.info(), redis.hgetall('a'), redis.call('CLIENT', 'LIST')]);
        await gone(server);
        expect(redis.status).toBe('end');
        await server.stop();
      }),
      { numRuns: 150 },
    );
  });
});
