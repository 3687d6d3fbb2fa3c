/** How long Redis takes for a write without a fault: against it, a fault of writes is proven. */
import type { StoreConnections } from '@chaosdemo/redis-faults';
import { pauseFor, TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';

/** Writes that are measured, and how long one may take; milliseconds. */
const [WRITES, WRITE_TIMEOUT_MS] = [20, 5000];

/**
 * Latencies of real writes, to all masters of a Cluster at once, one after the other, from the fastest to the slowest.
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
