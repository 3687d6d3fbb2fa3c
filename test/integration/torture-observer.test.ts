/** The observer of the torture, which must not be blind: it sees pauses, held writes and failovers. */
import { Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { aclLines, makeRedisUsers } from '../../src/local/redis-users.ts';
import { RedisUnderSentinels } from '../kit/redis-under-sentinels.ts';
import { WATCHED_AS } from '../kit/sentinels.ts';
import { until } from '../kit/until.ts';
import { FailoverEye } from '../torture/observer/failover-eye.ts';
import { RedisEye } from '../torture/observer/redis-eye.ts';
import { TortureRecord } from '../torture/record.ts';

const PAUSE_MS = 400;

it('the observer sees each pause and the held write, also after Redis was killed', async () => {
  const users = makeRedisUsers();
  const redis = await startRedis({ aclUsers: aclLines(users) });
  onTestFinished(() => redis.stop());
  const { host, port } = redis;
  let record = new TortureRecord();
  const eye = new RedisEye({ host, port, user: users.admin, localAddress: '127.0.0.2' }, 0, () => record);
  onTestFinished(() => eye.close());

  for (const kills of [0, 1, 1]) {
    for (let i = 0; i < kills; i += 1) {
      await redis.kill9();
      await redis.restart();
    }
    record = new TortureRecord();
    const client = new Redis({ host, port, ...users.admin });
    await client.call('CLIENT', 'PAUSE', String(PAUSE_MS), 'WRITE');
    client.disconnect();
    await until(() => record.of('done').length === 1, { what: 'the pause to be seen' });
    const held = (): boolean =>
      record.of('write').some(({ tookMs }) => tookMs > PAUSE_MS / 2 && tookMs < Infinity);
    await until(held, { what: 'a held write to be seen' });
    expect(record.of('done')).toMatchObject([{ what: 'pause' }]);
  }
});

it('sees a failover that a Sentinel accepts, and the switch at each', async () => {
  const supervisor = new Supervisor();
  onTestFinished(() => supervisor.close());
  const users = makeRedisUsers();
  const watched = await RedisUnderSentinels.start(supervisor, {
    aclUsers: aclLines(users),
    admin: users.admin,
  });
  onTestFinished(() => watched.close());
  const record = new TortureRecord();
  const logs = watched.sentinels.map(({ logFile }) => logFile);
  const eye = new FailoverEye(logs, 0, () => record);
  onTestFinished(() => eye.close());

  const sentinel = watched.sentinels[1]?.observer;
  await expect(sentinel?.call('SENTINEL', 'FAILOVER', 'chaosdemo-permission')).rejects.toThrow(
    /No such master/,
  );
  expect(await sentinel?.call('SENTINEL', 'FAILOVER', WATCHED_AS)).toBe('OK');
  await until(() => record.of('failover').length === 1 + logs.length, { what: 'every switch to be seen' });
  const [accepted, ...switched] = record.of('failover');
  expect(accepted).toMatchObject({ what: 'accepted', sentinel: 1 });
  expect(switched.map(({ sentinel, what }) => `${what} ${sentinel}`).toSorted()).toEqual(
    logs.map((_, i) => `switched ${i}`),
  );
});
