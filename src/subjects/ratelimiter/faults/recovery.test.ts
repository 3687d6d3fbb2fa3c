import { expect, it } from 'vitest';
import { RedisConnections } from '../store/redis-client.ts';
import { watchRecovery } from './recovery.ts';

it('claims no figure of lost counts where Redis takes no write', async () => {
  const nobody = { host: '127.0.0.1', port: 1, tls: false, podName: 'redis-0' };
  const redis = new RedisConnections(nobody, 'test');
  const window = { key: 'k', windowId: 'w' };
  const report = await watchRecovery(
    {
      observers: [],
      redis,
      window,
      drifted: true,
      admitted: new Map(),
      writeWithinMs: 100,
      settleMs: 100,
      now: Date.now,
    },
    new AbortController().signal,
  );
  redis.close();
  expect(report).toEqual({
    measures: [],
    message: expect.stringMatching(/redis-0.*took no write within 100 ms/),
  });
});
