/** A Redis that is up and takes no writes, or no commands: the message says why, and what to do. */

import { rm } from 'node:fs/promises';
import { startRedis } from '@chaosdemo/testbed';
import { describe, expect, it } from 'vitest';
import { aclLines, makeRedisUsers } from '../../../src/local/redis-users.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { LimiterOnRedis } from './support/limiter-on-redis.ts';

const users = makeRedisUsers();
const supervisor = supervisorOfFile();

async function started(settings: readonly string[]): Promise<LimiterOnRedis> {
  const server = await startRedis({ supervisor, aclUsers: aclLines(users), settings });
  return new LimiterOnRedis(server, users, []);
}

/** What the baseline of a run says. */
async function baselineOf(ground: LimiterOnRedis): Promise<string> {
  const driver = ground.driver();
  await driver.measureBaseline();
  await ground.close();
  const { ok, message } = driver.observed.baseline ?? {};
  return `${ok ? 'measured' : 'failed'}: ${message}`;
}

describe('a Redis', () => {
  it('that loads its data is refused until it has', async () => {
    const dir = supervisor.temporaryFolder('redis');
    // 3 s altogether, with clients served in between.
    const settings = ['key-load-delay 10000', 'loading-process-events-interval-bytes 1024', `dir ${dir}`];
    const ground = await started(settings);
    const admin = await ground.admin();
    await admin.mset(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 'x'.repeat(100)])));
    await admin.call('SAVE');
    await ground.close();
    const restarted = ground.server.restart();
    const loading = /^RedisUnreachable: .*loading its data: wait/;
    await until(async () => loading.test(await ground.refusal()), {
      what: 'it to be loading',
      everyMs: 20,
      deadlineMs: 20_000,
    });
    await restarted;
    expect(await ground.admit()).toMatch(/^[0-9a-f]{40}$/);
  });

  it('that cannot save its data reports that in the baseline', async () => {
    const dir = supervisor.temporaryFolder('redis');
    const ground = await started(['save 3600 1', `dir ${dir}`]);
    const admin = await ground.admin();
    await rm(dir, { recursive: true });
    await admin.set('a', '1');
    await admin.call('BGSAVE');
    await until(async () => /rdb_last_bgsave_status:err/.test(await admin.info('persistence')), {
      what: 'the save to fail',
    });
    await ground.close();
    expect(await ground.admit()).toMatch(/^[0-9a-f]{40}$/);
    expect(await baselineOf(ground)).toMatch(/^failed: .*MISCONF.*free .*disk/);
  });

  it('whose memory is full reports that in the baseline', async () => {
    const ground = await started(['maxmemory 1', 'maxmemory-policy noeviction']);
    expect(await baselineOf(ground)).toMatch(/^failed: .*OOM.*memory .*: free/);
  });

  it('that wants replicas for a write reports that in the baseline', async () => {
    const ground = await started(['min-replicas-to-write 1']);
    expect(await baselineOf(ground)).toMatch(/^failed: .*NOREPLICAS.* min-replicas-to-write to 0/);
  });

  it('that is busy with a script is refused until it is done', async () => {
    const ground = await started(['busy-reply-threshold 50']);
    const admin = await ground.admin();
    const busy = admin.call('EVAL', busyFor(1500), '0');
    await until(async () => /^RedisUnreachable: .*BUSY.*script /.test(await ground.refusal()), {
      what: 'it to be busy',
      everyMs: 20,
      deadlineMs: 20_000,
    });
    await busy;
    await ground.close();
    expect(await until(() => ground.admit(), { what: 'it to be done' })).toMatch(/^[0-9a-f]{40}$/);
  });
});

/** A script that keeps Redis from everything else for so many milliseconds. */
function busyFor(ms: number): string {
  return `local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
    local start = now() while now() - start < ${ms} do end return 'done'`;
}
