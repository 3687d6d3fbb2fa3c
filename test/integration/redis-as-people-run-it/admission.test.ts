/** Whether a Redis may be paused: who else uses it, and whether it answers at all. */
import { connect, type Socket } from 'node:net';
import { admitRedis, REDIS_ACL, RedisRefusal, type RedisTarget } from '@chaosdemo/redis-faults';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askRedis } from '../../kit/ask-redis.ts';
import { until } from '../../kit/until.ts';

const operator = { username: 'chaosdemo', password: 'operator-secret' };
const podIP = '127.0.0.2';
const strangerIP = '127.0.0.9';

let redis: RedisServer;
const clients: Socket[] = [];
beforeAll(async () => {
  redis = await startRedis({
    aclUsers: [
      `user ${operator.username} on >${operator.password} ${REDIS_ACL}`,
      'user limiter on >limiter-secret ~* &* +@all',
      'user blind on >blind-secret -@all +info resetchannels',
      'user default off',
    ],
  });
});
afterEach(async () => {
  for (const socket of clients.splice(0)) socket.destroy();
  await untilNoClientIsLeft();
});
afterAll(() => redis.stop());

interface Found {
  readonly redis: RedisTarget;
  readonly addresses: readonly string[];
}

function targetOf(change: Partial<RedisTarget> = {}): Found {
  const { host, port } = redis;
  return {
    addresses: [podIP],
    redis: { podName: 'redis-0', host, port, tls: false, ...operator, ...change },
  };
}

/** The same without a user. */
function anonymously({ addresses, redis }: Found): Found {
  const { username: _, password: __, ...rest } = redis;
  return { addresses, redis: rest };
}

/** The run_id. @throws Refusal */
async function admit({ addresses, redis }: Found, allowOtherClients = false): Promise<string> {
  const options = { allowOtherClients, longestMs: 0 };
  const { signal } = new AbortController();
  return (await admitRedis({ redis: [redis], addresses }, options, signal)).runId;
}

/** Logs in from an address and gives itself a name; resolves when Redis knows both. */
async function client(options: {
  from: string;
  user?: { username: string; password: string };
  name?: string;
}): Promise<Socket> {
  const { from, user = { username: 'limiter', password: 'limiter-secret' }, name } = options;
  const socket = connect({ host: redis.host, port: redis.port, localAddress: from });
  clients.push(socket);
  let answers = '';
  socket.on('data', (data: Buffer) => {
    answers += data.toString('latin1');
  });
  const commands = [
    `AUTH ${user.username} ${user.password}`,
    ...(name === undefined ? [] : [`CLIENT SETNAME ${name}`]),
  ];
  socket.write(commands.map((command) => `${command}\r\n`).join(''));
  await until(() => answers.match(/\+OK/g)?.length === commands.length, { what: 'Redis to know the client' });
  return socket;
}

/** What an observer reads from Redis: it comes from the pod's address, so that it is never taken for a stranger. */
async function query(command: string): Promise<string> {
  const { host, port } = redis;
  return await askRedis({ host, port, localAddress: podIP }, 'AUTH limiter limiter-secret', command);
}

/** Redis notices the end of a connection a moment later: no test may see the clients of the one before. */
async function untilNoClientIsLeft(): Promise<void> {
  const others = new RegExp(` addr=(?!${podIP}:)`);
  await until(async () => !others.test(await query('CLIENT LIST')), { what: 'Redis to forget all clients' });
}

async function expectRefused(admission: Promise<string>, reason: string, message: RegExp): Promise<void> {
  const refusal = await admission.catch((error: unknown) => error);
  if (!(refusal instanceof RedisRefusal)) throw refusal;
  expect(refusal.reason).toBe(reason);
  expect(refusal.message).toMatch(message);
  expect(refusal.message).not.toContain('secret');
}

describe('admitRedis', () => {
  it('admits with only the documented rights, and returns the run_id', async () => {
    await client({ from: podIP });
    const runId = await admit(targetOf());
    expect(await query('INFO server')).toContain(`run_id:${runId}`);
  });

  it('names strangers and what to do about them, unless they are allowed', async () => {
    const stranger = await client({ from: strangerIP, name: 'worker' });
    const address = `${strangerIP}:${stranger.localPort}`;
    const message = new RegExp(`^a client .*: ${address} "worker"\\. .*otherClients`);
    await expectRefused(admit(targetOf()), 'SharedRedis', message);
    expect(await admit(targetOf(), true)).toMatch(/^[0-9a-f]{40}$/);

    // Wherever it comes from, a client with the operator's own user belongs to the operator.
    stranger.destroy();
    await client({ from: '127.0.0.8', user: operator });
    await until(async () => await admit(targetOf()).catch(() => undefined), {
      what: 'Redis to forget the stranger',
    });
  });

  it('does not take other programs on the same loopback address for itself', async () => {
    await client({ from: '127.0.0.1' });
    await expectRefused(admit(targetOf()), 'SharedRedis', /127\.0\.0\.1:\d+/);
  });

  it.each([
    ['a wrong password', { password: 'wrong-secret' }, /WRONGPASS.*correct username and password/],
    ['an unknown user', { username: 'unknown' }, /WRONGPASS/],
    ['a user without the right', { username: 'blind', password: 'blind-secret' }, /NOPERM.*\+client\|list/],
  ])('refuses %s without repeating it', async (_, change, message) => {
    await expectRefused(admit(targetOf(change)), 'RedisUnreachable', message);
  });

  it('names authSecretName if Redis requires a password and the spec has none', async () => {
    await expectRefused(admit(anonymously(targetOf())), 'RedisUnreachable', /NOAUTH.*redis\.authSecretName/);
  });
});
