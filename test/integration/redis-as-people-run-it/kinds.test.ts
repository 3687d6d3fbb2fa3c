/** Which kinds of Redis are refused, with real ones: Sentinel, Cluster, replica. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../../src/local/redis-server.ts';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { Supervisor } from '../../../src/local/supervisor.ts';
import { until } from '../../kit/until.ts';
import { LimiterOnRedis } from './support/limiter-on-redis.ts';
import { startSentinel } from './support/sentinels.ts';

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

describe('a Redis is refused', () => {
  it('where a real Sentinel watches it; so is the Sentinel', async () => {
    const master = await started();
    expect(await master.admit()).toMatch(/^[0-9a-f]{40}$/);
    const watched = { ...master.server, user: users.admin };
    const sentinel = await startSentinel(supervisor, watched, { host: '127.0.0.91', downAfterMs: 30_000 });
    expect(await master.refusal()).toMatch(
      /^RedisNotEligible: .* 127\.0\.0\.91 watches redis-0 .*: .*rateLimiter\.redis\.sentinel\./,
    );
    const { username: _, password: __, ...anonymous } = sentinel.target;
    expect(await master.refusal(anonymous)).toMatch(/^RedisNotEligible: .*is a Sentinel: .*Service/);
    sentinel.observer.disconnect();
  });

  it('where it is a member of a Cluster, with its slots or without', async () => {
    const member = await started(['cluster-enabled yes', 'cluster-config-file nodes.conf']);
    const reason = /^RedisNotEligible: .*is a member of a Redis Cluster.*use a Redis without Cluster/;
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
    expect(await replica.refusal()).toMatch(/^RedisNotEligible: .*is a replica: .*Service .*master/);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await replica.close();
    expect(await until(() => replica.admit(), { what: 'it to be a master' })).toMatch(/^[0-9a-f]{40}$/);
  });
});
