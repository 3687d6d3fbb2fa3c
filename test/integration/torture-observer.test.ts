/** The observer of the torture, which must not be blind: it sees pauses and held writes, also after Redis was killed. */
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../src/local/redis-server.ts';
import { aclLines, makeRedisUsers } from '../../src/local/redis-users.ts';
import { until } from '../kit/until.ts';
import { RedisEye } from '../torture/observer/redis-eye.ts';
import { TortureRecord } from '../torture/record.ts';

const PAUSE_MS = 400;

it('sees each pause and the write that it holds back, before and after Redis was killed', async () => {
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
