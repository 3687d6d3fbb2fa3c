/** The end of a pause is when Redis took the write that it had held back, however late the answer is read. */
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../src/local/redis-server.ts';
import { injectRedisPause } from '../../src/subjects/ratelimiter/index.ts';
import { waitForPauseEnd } from '../../src/subjects/redis/client/write-probe.ts';
import { closeProbes } from '../../src/subjects/redis/faults/pause.ts';
import { startDelayingProxy } from '../kit/delaying-proxy.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { storeOf } from '../kit/store.ts';

const never = new AbortController().signal;
const PAUSE_MS = 1_500;
/** So late comes what Redis has answered. */
const LATE_MS = 1_000;

describe.skipIf(withoutRealTime)('the end of a pause', () => {
  it(
    'is taken from the clock of Redis if the answer is late',
    keepingTime(async () => {
      const server = await startRedis({});
      onTestFinished(() => server.stop());
      const proxy = await startDelayingProxy(server);
      onTestFinished(() => proxy.stop());
      const redis = storeOf({ ...proxy, tls: false, podName: 'redis-0' }, 'test');
      onTestFinished(() => redis.close());
      const observer = new Redis({ host: server.host, port: server.port });
      onTestFinished(() => observer.disconnect());
      await redis.takeCharge(60_000);
      await observer.ping();

      const plannedAt = Date.now();
      const until = plannedAt + PAUSE_MS;
      const pause = await injectRedisPause(
        redis,
        { plannedAt, until, usualWriteMs: 1, now: Date.now },
        never,
      );
      onTestFinished(() => closeProbes(pause.probes));
      expect(pause.proof).toBe('Confirmed');
      const taken = observer.set('written', '1').then(Date.now);
      proxy.stall(until + LATE_MS - Date.now());
      const end = await waitForPauseEnd(redis.first, pause.probes[0].write, 10_000, Date.now, never);

      const answeredAt = Date.now();
      expect(answeredAt - (await taken)).toBeGreaterThan(LATE_MS / 2);
      expect(end).toMatchObject({ byLaterWrite: false });
      const { at = 0 } = end ?? {};
      expect(Math.abs(at - (await taken))).toBeLessThan(Math.abs(answeredAt - at));
    }),
  );
});
