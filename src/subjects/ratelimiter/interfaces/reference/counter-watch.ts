/** Samples the counters of a key again and again, at a fixed rate, one sample at a time. */

import type { RedisConnections } from '../../store/redis-client.ts';
import { pauseFor } from '../../waiting.ts';
import { type CounterSample, type SampledWindow, sampleCounters } from './counter-sample.ts';
import type { LimiterClient } from './limiter-client.ts';

export const SAMPLE_EVERY_MS = 100;

/** How long a node may take to answer within a sample, lest one slow node blind the watch. */
export const SAMPLE_TIMEOUT_MS = 1000;

/** Runs until `signal` is aborted; resolves then. */
export async function watchCounters(
  clients: readonly LimiterClient[],
  redis: RedisConnections,
  window: SampledWindow,
  now: () => number,
  onSample: (sample: CounterSample) => void,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  try {
    for (;;) {
      onSample(await sampleCounters(clients, redis, window, now, signal));
      const late = (performance.now() - start) % SAMPLE_EVERY_MS;
      await pauseFor(SAMPLE_EVERY_MS - late, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
