import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { aclLines, makeRedisUsers, type RedisUser } from '../../../src/local/redis-users.ts';

it('the users of the embedded Redis may do what they need and nothing else', async () => {
  const users = makeRedisUsers();
  const server = await startRedis({ aclUsers: aclLines(users) });
  onTestFinished(() => server.stop());
  const as = (user: RedisUser): Redis => {
    const redis = new Redis({ host: server.host, port: server.port, ...user, retryStrategy: () => null });
    onTestFinished(() => redis.disconnect());
    return redis;
  };
  const refused = /NOPERM/;

  const limiter = as(users.limiter);
  await limiter.eval("return redis.call('HINCRBY', KEYS[1], 'node', 1)", 1, 'rl:win:key:1');
  await limiter.call('TIME');
  await expect(limiter.set('other', '1')).rejects.toThrow(refused);
  await expect(limiter.call('CLIENT', 'PAUSE', '1', 'WRITE')).rejects.toThrow(refused);
  await expect(limiter.flushall()).rejects.toThrow(refused);

  const operator = as(users.operator);
  await operator.call('CLIENT', 'PAUSE', '1', 'WRITE');
  await operator.call('CLIENT', 'UNPAUSE');
  await operator.call('WATCH', 'chaosdemo:probe:1');
  await operator.call('MULTI');
  await operator.call('EXEC');
  await operator.set('chaosdemo:probe:1', '1', 'PX', 1_000);
  expect(await operator.hvals('rl:win:key:1')).toEqual(['1']);
  await expect(operator.set('rl:win:key:1', '1')).rejects.toThrow(refused);
  await expect(operator.call('CLIENT', 'NO-EVICT', 'ON')).rejects.toThrow(refused);

  const observer = as(users.observer);
  expect(await observer.hgetall('rl:win:key:1')).toEqual({ node: '1' });
  await expect(observer.set('rl:win:key:1', '1')).rejects.toThrow(refused);
  await expect(observer.call('CLIENT', 'PAUSE', '1', 'WRITE')).rejects.toThrow(refused);

  const stranger = new Redis({ host: server.host, port: server.port, retryStrategy: () => null });
  onTestFinished(() => stranger.disconnect());
  stranger.on('error', () => {}); // It is refused from the greeting on.
  await expect(stranger.ping()).rejects.toThrow(/NOAUTH/);
}, 60_000);
