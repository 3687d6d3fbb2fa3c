/** After a fault: a real write proves that Redis takes writes, and the counters come to rest, or do not. */
import type { RecoveryReport } from '../../demo/observed.ts';
import { type SampledWindow, sampleCounters, totalAdmitted } from './counter-sample.ts';
import { SAMPLE_EVERY_MS } from './counter-watch.ts';
import type { LimiterClient } from './limiter-client.ts';
import { proveWrite } from './pause-probe.ts';
import type { RedisConnections } from './redis-client.ts';
import { pauseFor } from './waiting.ts';

export interface RecoveryOptions {
  readonly observers: readonly LimiterClient[];
  readonly redis: RedisConnections;
  /** The window of the fault; undefined after a restart, when its name is not known any more. */
  readonly window: SampledWindow | undefined;
  /** How long a write may take to be accepted; milliseconds. */
  readonly writeWithinMs: number;
  /** How long the counters may take after that. */
  readonly settleMs: number;
  readonly now: () => number;
}

/** Looks at what the fault left. @throws only the reason of `signal` */
export async function watchRecovery(options: RecoveryOptions, signal: AbortSignal): Promise<RecoveryReport> {
  const { redis, window, writeWithinMs, settleMs, now } = options;
  const writeAcceptedAt = await proveWrite(redis, writeWithinMs, now, signal);
  if (writeAcceptedAt === undefined) {
    return {
      message: `${redis.name} took no write within ${Math.round(writeWithinMs)} ms: see whether it runs, and if it is still paused end that with: redis-cli CLIENT UNPAUSE`,
    };
  }
  const accepted = `${redis.name} takes writes again (a real one was accepted)`;
  if (!window) return { writeAcceptedAt, message: `${accepted}; the counters of this fault are not known` };

  const deadline = performance.now() + settleMs;
  let atRest: number | undefined;
  let drift: number | undefined;
  let problem: string | undefined;
  do {
    const sample = await sampleCounters(options.observers, redis, window, now, signal);
    if (sample.stored === undefined || sample.admitted.size < options.observers.length) {
      problem = sample.problems[0] ?? `the window of the key is over on ${sample.elsewhere.join(', ')}`;
      atRest = undefined;
      // What was read before is not how it ended.
      drift = undefined;
    } else {
      drift = totalAdmitted(sample) - sample.stored;
      if (drift > 0) atRest = undefined;
      else if (atRest === undefined) atRest = sample.readAt;
      else {
        return {
          writeAcceptedAt,
          convergedAt: atRest,
          lostCounts: 0,
          message: `${accepted}; the counters converged: nodes and Redis agree on ${sample.stored}`,
        };
      }
    }
    await pauseFor(SAMPLE_EVERY_MS, signal);
  } while (performance.now() < deadline);

  if (drift === undefined) {
    return {
      writeAcceptedAt,
      message: `${accepted}; the counters could not be read at the end: ${problem}`,
    };
  }
  return {
    writeAcceptedAt,
    lostCounts: Math.max(0, drift),
    message:
      drift > 0
        ? `${accepted}; ${drift} counts never reached Redis within ${settleMs} ms`
        : `${accepted}; the counters came to rest only at the very end`,
  };
}
