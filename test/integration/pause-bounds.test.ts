/** A Redis that stands still at the moment it is to be paused: a pause must not outlast what was announced. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeProbes, injectRedisPause } from '@chaosdemo/redis-faults';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { folderOfTest } from '../kit/folder.ts';
import { rows } from '../kit/nightly.ts';
import { NO_TLS, startOverTls } from '../kit/over-tls.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { storeOf } from '../kit/store.ts';

const never = new AbortController().signal;
const PAUSE_MS = 30_000;

/** Stops Redis right before the command is sent, for so long, and returns the result of the pause and how long writes waited. */
async function pauseOf(stillMs: number, secure: boolean) {
  const folder = folderOfTest();
  const tls = secure ? await certificateFor(folder, 'IP:127.0.0.1,DNS:redis') : undefined;
  const ca = tls && (await readFile(tls.caFile, 'utf8'));
  const server = tls ? await startOverTls({ tls }) : await startRedis();
  if (!server) throw new Error(NO_TLS);
  onTestFinished(() => server.stop());
  const { host, port } = server;
  const target = { host, port, tls: secure, podName: 'redis-0', ...(ca && { ca, servername: 'redis' }) };
  const redis = storeOf(target, 'test');
  onTestFinished(() => redis.close());
  await redis.takeCharge(2 * PAUSE_MS);
  const observer = new Redis({ host, port, ...(ca && { tls: { ca, servername: 'redis' } }) });
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
  onTestFinished(() => closeProbes(pause.probes));
  await again;
  const start = performance.now();
  await observer.set('written', '1');
  return { pause, waitedMs: performance.now() - start };
}

describe.skipIf(withoutRealTime)('a pause that Redis answers late', () => {
  const CASES = [
    { answered: 'late', stillMs: 2_000, secure: false, says: /replied to CLIENT PAUSE so late/ },
    {
      answered: 'not in time',
      stillMs: 6_000,
      secure: false,
      says: /CLIENT PAUSE was sent and got no reply/,
    },
    // A server that stands still completes no handshake, so only the connection that is there can release it.
    {
      answered: 'not in time, by TLS',
      stillMs: 12_000,
      secure: true,
      says: /CLIENT PAUSE was sent and got no reply/,
    },
  ];
  it.for(rows(CASES))(
    'is released at once, and nothing is claimed of it: answered $answered',
    async ({ stillMs, says, secure }, context) => {
      await keepingTime(async () => {
        const { pause, waitedMs } = await pauseOf(stillMs, secure);
        expect(pause).toMatchObject({ proof: 'Inconclusive', released: true });
        expect(pause.endedAt).toBeUndefined();
        expect(pause.message).toMatch(says);
        // A control: Redis itself would have ended the pause.
        expect(waitedMs).toBeLessThan(PAUSE_MS);
      })(context);
    },
  );
});
