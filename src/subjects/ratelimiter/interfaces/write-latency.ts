/** Latency of real writes while nothing is paused. */
import type { StoreConnections } from '@chaosdemo/redis-faults';
import { pauseFor, TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';

const WRITES = 20;
const WRITE_TIMEOUT_MS = 5000;

/**
 * Latencies of 20 real writes, to all masters of a Cluster at once, one after the other, from the fastest to the slowest; milliseconds.
 * @throws Error if one takes longer than 5 s; RedisClientError; the reason of `signal`
 */
export async function measureWrites(redis: StoreConnections, signal: AbortSignal): Promise<number[]> {
  // Needed later: a missing right shows before any fault is announced.
  await redis.read();
  const writer = await redis.openProbeWriter();
  try {
    const latencies: number[] = [];
    for (let i = 0; i < WRITES; i += 1) {
      const start = performance.now();
      if ((await within(writer.write(), WRITE_TIMEOUT_MS, signal)) === TIMED_OUT) {
        throw new Error(
          `${redis.name} did not take a write within ${WRITE_TIMEOUT_MS} ms, although this demo has injected nothing: check whether another client has paused it (CLIENT UNPAUSE ends the pause) or it is overloaded`,
        );
      }
      latencies.push(performance.now() - start);
      await pauseFor(5, signal);
    }
    return latencies.sort((a, b) => a - b);
  } finally {
    writer.close();
  }
}
