/** Which kinds of Redis are refused, with real ones: Sentinel, node of a Cluster, replica. */
import { freePort, startRedis } from '@chaosdemo/testbed';
import { describe, expect, it } from 'vitest';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { startSentinel } from '../../kit/sentinels.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { LimiterOnRedis } from './support/limiter-on-redis.ts';

const users = makeRedisUsers();
const supervisor = supervisorOfFile();

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
  it('if a real Sentinel watches it; so is the Sentinel', async () => {
    const master = await started();
    expect(await master.admit()).toMatch(/^[0-9a-f]{40}$/);
    const watched = { ...master.server, user: users.admin };
    const sentinel = await startSentinel(supervisor, watched, { host: '127.0.0.91', downAfterMs: 30_000 });
    expect(await master.refusal()).toMatch(
      /^RedisNotEligible: .* 127\.0\.0\.91 watches redis-0 .*\. Set redis\.sentinel\./,
    );
    const { username: _, password: __, ...anonymous } = sentinel.target;
    expect(await master.refusal(anonymous)).toMatch(/^RedisNotEligible: .*is a Sentinel: .*Service/);
    sentinel.observer.disconnect();
  });

  it('if it is a node of a Cluster without slots, until it has all', async () => {
    // By default, the port of the bus is one that outgoing connections get, too.
    const bus = `cluster-port ${await freePort()}`;
    const member = await started(['cluster-enabled yes', 'cluster-config-file nodes.conf', bus]);
    // The operator that ships may not see its nodes.
    const target = member.target(users.admin);
    expect(await member.refusal()).toMatch(/^RedisUnreachable: .*NOPERM.*\+cluster\|nodes/);
    expect(await member.refusal(target)).toMatch(/^RedisNotEligible: .*without slots/);
    const admin = await member.admin();
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
      what: 'the Cluster to be complete',
    });
    await member.close();
    expect(await member.admit(target)).toMatch(/^[0-9a-f]{40}$/);
  });

  it('if it is a replica, until it is promoted', async () => {
    const [master, replica] = [await started(), await started()];
    const admin = await replica.admin();
    await admin.call('REPLICAOF', master.server.host, String(master.server.port));
    expect(await replica.refusal()).toMatch(/^RedisNotEligible: .*is a replica: .*Service .*primary/);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await replica.close();
    expect(await until(() => replica.admit(), { what: 'it to be a master' })).toMatch(/^[0-9a-f]{40}$/);
  });
});
