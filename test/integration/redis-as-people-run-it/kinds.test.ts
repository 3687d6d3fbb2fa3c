/** Which kinds of Redis are refused, asked of real ones: Sentinel, Cluster, replication. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRedis } from '../../../src/local/binaries/redis-binary.ts';
import { freePort } from '../../../src/local/ports.ts';
import { type RedisServer, startRedis } from '../../../src/local/redis-server.ts';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { Supervisor } from '../../../src/local/supervisor.ts';
import { until } from '../../kit/until.ts';
import { LimiterOnRedis } from './support/limiter-on-redis.ts';

const users = makeRedisUsers();
let supervisor: Supervisor;
beforeAll(() => {
  supervisor = new Supervisor();
});
afterAll(() => supervisor?.close());

async function started(settings: readonly string[] = []): Promise<LimiterOnRedis> {
  const { username, password } = users.admin;
  const server = await startRedis({
    supervisor,
    aclUsers: aclLines(users),
    settings: [`masteruser ${username}`, `masterauth ${password}`, ...settings],
  });
  return new LimiterOnRedis(server, users, []);
}

/** A real Sentinel over a master; resolves once it watches. */
async function sentinelOver(master: RedisServer): Promise<LimiterOnRedis> {
  const { path } = await findRedis();
  const host = '127.0.0.1';
  const port = await freePort([host]);
  const folder = supervisor.temporaryFolder('sentinel');
  const config = join(folder, 'sentinel.conf');
  const { username, password } = users.admin;
  // A Sentinel writes into its file what it finds out.
  await writeFile(
    config,
    [
      `port ${port}`,
      `bind ${host}`,
      'protected-mode no',
      `dir ${folder}`,
      `sentinel monitor limits ${master.host} ${master.port} 1`,
      `sentinel auth-user limits ${username}`,
      `sentinel auth-pass limits ${password}`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const process = await supervisor.start({
    name: 'Sentinel',
    command: path,
    args: [config, '--sentinel'],
    logFile: join(folder, 'log'),
  });
  const client = new Redis({ host, port, lazyConnect: true });
  client.on('error', () => undefined);
  await process.untilReady(async () => {
    if (client.status !== 'ready') await client.connect();
    return /status=ok/.test(await client.info());
  }, 60_000);
  client.disconnect();
  return new LimiterOnRedis({ ...master, host, port }, users, []);
}

describe('a Redis is refused', () => {
  it('where a real Sentinel watches it; so is the Sentinel', async () => {
    const master = await started();
    expect(await master.admit()).toMatch(/^[0-9a-f]{40}$/);
    const sentinel = await sentinelOver(master.server);
    expect(await master.refusal()).toMatch(
      /^RedisNotEligible: .*a Sentinel watches redis-0 .*without Sentinel/,
    );
    const { username: _, password: __, ...anonymous } = sentinel.target();
    expect(await sentinel.refusal(anonymous)).toMatch(
      /^RedisNotEligible: .*is a Sentinel: name the Service of Redis itself/,
    );
    await sentinel.close();
  });

  it('where it is a member of a Cluster, with its slots or without', async () => {
    const member = await started(['cluster-enabled yes', 'cluster-config-file nodes.conf']);
    const reason = /^RedisNotEligible: .*is a member of a Redis Cluster.*use a standalone Redis/;
    expect(await member.refusal()).toMatch(reason);
    const admin = await member.admin();
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
      what: 'the Cluster to be complete',
    });
    await member.close();
    expect(await member.refusal()).toMatch(reason);
  });

  it('where it is a replica, until it is promoted', async () => {
    const [master, replica] = [await started(), await started()];
    const admin = await replica.admin();
    await admin.call('REPLICAOF', master.server.host, String(master.server.port));
    expect(await replica.refusal()).toMatch(
      /^RedisNotEligible: .*is a replica: name a Service that selects the master/,
    );
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await replica.close();
    expect(await until(() => replica.admit(), { what: 'it to be a master' })).toMatch(/^[0-9a-f]{40}$/);
  });
});
