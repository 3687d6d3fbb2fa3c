/** A Redis that stands still at the moment it is to be paused: a pause must not outlast what was announced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../src/local/redis-server.ts';
import { injectRedisPause, RedisConnections } from '../../src/subjects/ratelimiter/index.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';

const never = new AbortController().signal;
const PAUSE_MS = 30_000;

/** Stops Redis right before the command is sent, for so long, and tells how the pause went and how long writes waited. */
async function pauseOf(stillMs: number) {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { host, port } = server;
  const redis = new RedisConnections({ host, port, tls: false, podName: 'redis-0' }, 'test');
  onTestFinished(() => redis.close());
  const observer = new Redis({ host, port });
  onTestFinished(() => observer.disconnect());
  await observer.ping();

  let again: Promise<void> | undefined;
  const now = Date.now();
  const pause = await injectRedisPause(
    redis,
    {
      plannedAt: now,
      until: now + PAUSE_MS,
      usualWriteMs: 1,
      now: Date.now,
      onSend: () => {
        process.kill(server.pid, 'SIGSTOP');
        again = sleep(stillMs).then(() => void process.kill(server.pid, 'SIGCONT'));
      },
    },
    never,
  );
  onTestFinished(() => pause.writer.close());
  await again;
  const start = performance.now();
  await observer.set('written', '1');
  return { pause, waitedMs: performance.now() - start };
}

describe.skipIf(withoutRealTime)('a pause that Redis answers late', () => {
  it.for([
    { answered: 'late', stillMs: 2_000, says: /answered CLIENT PAUSE so late/ },
    { answered: 'not in time', stillMs: 6_000, says: /CLIENT PAUSE was sent and not answered/ },
  ])(
    'is released at once, and nothing is claimed of it: answered $answered',
    async ({ stillMs, says }, context) => {
      await keepingTime(async () => {
        const { pause, waitedMs } = await pauseOf(stillMs);
        expect(pause).toMatchObject({ proof: 'Inconclusive', refused: false, released: true });
        expect(pause.message).toMatch(says);
        expect(waitedMs).toBeLessThan(PAUSE_MS / 3);
      })(context);
    },
  );
});
