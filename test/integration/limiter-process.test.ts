import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { folderOfTest } from '../kit/folder.ts';
import { NO_TLS, startOverTls } from '../kit/over-tls.ts';
import { until } from '../kit/until.ts';
import { connected, countedIn, observe, PodClient } from './limiter-support.ts';

const MAIN = new URL('../../packages/limiter/src/main.ts', import.meta.url).pathname;

interface NodeProcess {
  readonly client: PodClient;
  readonly child: ChildProcess;
  /** Everything it wrote. */
  log(): string;
}

const children: ChildProcess[] = [];

/** One node as a separate process, at 127.0.0.<i>. */
async function spawnNode(i: number, env: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const ip = `127.0.0.${i}`;
  const own = { NODE_ID: `node-${i}`, POD_IP: ip, HOST: ip, PORT: '0' };
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let log = '';
  const listening = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log += `${line}\n`;
      const { msg, port } = JSON.parse(line);
      if (msg === 'listening') resolve(`${ip}:${port}`);
    });
    child.stderr.on('data', (data: Buffer) => {
      log += data.toString();
    });
    child.once('exit', () => reject(new Error(`the node ended: ${log}`)));
  });
  return { client: new PodClient(await listening), child, log: () => log };
}

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

describe('three processes over one Redis with a password and an ACL', () => {
  let redis: RedisServer;
  let observer: Redis;
  let nodes: NodeProcess[];
  beforeAll(async () => {
    redis = await startRedis({
      aclUsers: [
        'user limiter on >letmein resetchannels ~rl:* -@all +auth +hello +client|setname +ping ' +
          '+time +hgetall +hget +hvals +hset +hincrby +pexpireat +pexpiretime +eval',
      ],
    });
    const access = { REDIS_PORT: String(redis.port), REDIS_USERNAME: 'limiter', REDIS_PASSWORD: 'letmein' };
    nodes = await Promise.all([2, 3, 4].map(async (i) => await spawnNode(i, access)));
    observer = observe(redis);
    await connected(nodes.map(({ client }) => client));
  });
  afterAll(async () => {
    observer?.disconnect();
    await redis?.stop();
  });

  it('connect to Redis from the address of their pod, over two connections each', async () => {
    const list = String(await observer.client('LIST'));
    for (const i of [2, 3, 4]) {
      const names = [...list.matchAll(new RegExp(` addr=127\\.0\\.0\\.${i}:\\d+ .* name=(\\S+)`, 'g'))].map(
        ([, name]) => name,
      );
      expect(names.toSorted()).toEqual(['reader', 'writer'].map((use) => `ratelimiter:${use}:node-${i}`));
    }
  });

  it('deliver their last counts on SIGTERM', async () => {
    const leaver = nodes[1];
    const redisKey = await leaver!.client.redisKeyOf('leaving');
    await observer.client('PAUSE', 120_000, 'WRITE');
    for (let i = 0; i < 3; i += 1) await leaver!.client.check('leaving');
    const gone = once(leaver!.child, 'exit');
    leaver?.child.kill('SIGTERM');
    await until(async () => leaver!.log().includes('"stopping"'));
    expect(await countedIn(observer, redisKey)).toBe(0);
    await observer.client('UNPAUSE');
    expect(await gone).toEqual([0, null]);
    expect(await countedIn(observer, redisKey)).toBe(3);
    expect(leaver?.log()).not.toContain('letmein');
  });
});

it('one process trusts only certificates of the configured CA', async () => {
  const certificate = () => certificateFor(folderOfTest(), 'DNS:localhost,IP:127.0.0.1');
  const [right, wrong] = await Promise.all([certificate(), certificate()]);
  const redis = await startOverTls({ tls: right, requirepass: 'letmein' });
  if (!redis) throw new Error(NO_TLS);
  try {
    const access = { REDIS_PORT: String(redis.port), REDIS_PASSWORD: 'letmein', REDIS_TLS: 'true' };
    const [trusting, wary] = await Promise.all([
      spawnNode(5, { ...access, REDIS_TLS_CA_FILE: right.caFile }),
      spawnNode(6, { ...access, REDIS_TLS_CA_FILE: wrong.caFile }),
    ]);
    await connected([trusting.client]);
    expect((await trusting.client.check('secure')).status).toBe(200);
    expect((await wary.client.call('GET', '/health')).status).toBe(503);
    expect((await wary.client.call('GET', '/livez')).status).toBe(200);
  } finally {
    await redis.stop();
  }
});
