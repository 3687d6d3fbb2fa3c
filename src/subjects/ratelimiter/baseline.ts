/**
 * What is normal: how long a write of Redis takes, and how far its counts lie
 * behind those of the nodes under light traffic. Faults are judged against it.
 */
import type { Outcome } from '../../demo/observed.ts';
import { totalAdmitted } from './interfaces/reference/counter-sample.ts';
import { watchCounters } from './interfaces/reference/counter-watch.ts';
import type { LimiterClient } from './interfaces/reference/limiter-client.ts';
import { removeRateLimit, setupRateLimit } from './interfaces/reference/setup-limit.ts';
import { runSteadyTraffic } from './interfaces/reference/steady-traffic.ts';
import type { RedisConnections } from './store/redis-client.ts';
import { pauseFor, TIMED_OUT, within } from './waiting.ts';
import { counted } from './words.ts';

const WRITES = 20;
const WRITE_TIMEOUT_MS = 5000;
/** How long the counters are watched at least. */
const LAG_MS = 1000;
/** And at most, where they are slow to read. */
const LAG_WITHIN_MS = 15_000;
/** Checks sent meanwhile, if the limit allows so many. */
const CHECKS = 20;
const MIN_SAMPLES = 5;
/** How long the control key may take to be removed again. */
const CLEAN_UP_MS = 5000;

export interface Baseline {
  readonly writeP50Ms: number;
  readonly writeMaxMs: number;
  /** The furthest that the nodes were ahead of Redis. */
  readonly lag: number;
  readonly samples: number;
}

export interface BaselineOptions {
  readonly clients: readonly LimiterClient[];
  readonly observers: readonly LimiterClient[];
  readonly redis: RedisConnections;
  /** A key that only this measurement uses. */
  readonly controlKey: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The measurement could not be made; the message says what to do. */
class BaselineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BaselineError';
  }
}

/**
 * Measures both, on a control key that is removed again.
 * @throws BaselineError, RedisClientError, SetupError
 */
export async function measureBaseline(options: BaselineOptions, signal: AbortSignal): Promise<Baseline> {
  const latencies = await measureWrites(options.redis, signal);
  const { lag, samples } = await measureLag(options, signal);
  return {
    writeP50Ms: latencies[Math.floor(latencies.length / 2)] ?? 0,
    writeMaxMs: latencies.at(-1) ?? 0,
    lag,
    samples,
  };
}

/** What was measured, for people. */
export function outcomeOf({ writeP50Ms, writeMaxMs, lag, samples }: Baseline): Outcome {
  return {
    ok: true,
    message: `Baseline: a write to Redis takes ${writeP50Ms.toFixed(1)} ms (slowest ${writeMaxMs.toFixed(1)} ms), and Redis is at most ${counted(lag, 'count')} behind the nodes (${counted(samples, 'sample')})`,
  };
}

/** Latencies of real writes, one after the other, from the fastest to the slowest. */
async function measureWrites(redis: RedisConnections, signal: AbortSignal): Promise<number[]> {
  // What is asked later on: a right that is missing shows before any fault is announced.
  await redis.read();
  await redis.time();
  const writer = await redis.openProbeWriter();
  try {
    const latencies: number[] = [];
    for (let i = 0; i < WRITES; i += 1) {
      const start = performance.now();
      if ((await within(writer.write(), WRITE_TIMEOUT_MS, signal)) === TIMED_OUT) {
        throw new BaselineError(
          `${redis.name} did not take a write within ${WRITE_TIMEOUT_MS} ms, although this demo has injected nothing: check whether somebody else has paused it (CLIENT UNPAUSE ends the pause) or it is overloaded`,
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

async function measureLag(
  { clients, observers, redis, controlKey, limit, windowMs, timeoutMs, now }: BaselineOptions,
  signal: AbortSignal,
): Promise<{ lag: number; samples: number }> {
  try {
    const window = await setupRateLimit(clients, controlKey, limit, windowMs, timeoutMs, signal);
    let lag = 0;
    let samples = 0;
    let problem: string | undefined;
    let took = 0;
    const enough = new AbortController();
    const stop = AbortSignal.any([signal, enough.signal]);
    const watch = watchCounters(
      observers,
      redis,
      window,
      now,
      (sample) => {
        if (sample.stored === undefined || sample.admitted.size < observers.length) {
          problem ??= sample.problems[0] ?? `${sample.elsewhere.join(', ')} lost the key`;
          return;
        }
        samples += 1;
        lag = Math.max(lag, totalAdmitted(sample) - sample.stored);
      },
      stop,
    );
    const requests = Math.min(limit, CHECKS);
    const silent = { sent: () => undefined, answered: () => undefined, unanswered: () => undefined };
    const traffic = runSteadyTraffic(
      {
        clients,
        key: controlKey,
        windowId: window.windowId,
        requestsPerSecond: (requests * 1000) / LAG_MS,
        requests,
      },
      silent,
      stop,
      signal,
    );
    try {
      const start = performance.now();
      await pauseFor(LAG_MS, signal);
      took = performance.now() - start;
      // A right that is missing does not come by waiting.
      while (samples < MIN_SAMPLES && took < LAG_WITHIN_MS && !problem?.includes('NOPERM')) {
        await pauseFor(LAG_MS / 10, signal);
        took = performance.now() - start;
      }
    } finally {
      enough.abort();
      await Promise.all([watch, traffic]);
    }
    if (samples < MIN_SAMPLES) {
      throw new BaselineError(
        `the counters could be read only ${counted(samples, 'time')} in ${Math.round(took)} ms without any fault: ${problem ?? 'the rate limiter answers too slowly'}`,
      );
    }
    return { lag, samples };
  } finally {
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await removeRateLimit(clients, controlKey, within).catch(() => undefined);
  }
}
