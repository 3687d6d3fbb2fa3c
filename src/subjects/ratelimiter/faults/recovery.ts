/** After a fault: a real write proves that Redis takes writes, and the counters come to rest, or do not. */
import type { Measure } from '../../../api/index.ts';
import { counted } from '../../../api/index.ts';
import type { RecoveryReport } from '../../../demo/observed.ts';
import {
  type CounterSample,
  type SampledWindow,
  sampleCounters,
  totalAdmitted,
} from '../interfaces/reference/counter-sample.ts';
import { SAMPLE_EVERY_MS } from '../interfaces/reference/counter-watch.ts';
import type { LimiterClient } from '../interfaces/reference/limiter-client.ts';
import type { RedisConnections } from '../store/redis-client.ts';
import { proveWrite } from '../store/write-probe.ts';
import { pauseFor } from '../waiting.ts';
import { sumOf } from '../words.ts';

export interface RecoveryOptions {
  readonly observers: readonly LimiterClient[];
  readonly redis: RedisConnections;
  /** The window of the fault; undefined after a restart, when its name is not known any more. */
  readonly window: SampledWindow | undefined;
  /** Whether the counters were away from each other, further than without a fault. */
  readonly drifted: boolean;
  /** The most that each node said, or was seen by the sender, to have admitted in that window. */
  readonly admitted: ReadonlyMap<string, number>;
  /** How long a write may take to be accepted; milliseconds. */
  readonly writeWithinMs: number;
  /** How long the counters may take after that. */
  readonly settleMs: number;
  readonly now: () => number;
}

/** Looks at what the fault left. @throws only the reason of `signal` */
export async function watchRecovery(options: RecoveryOptions, signal: AbortSignal): Promise<RecoveryReport> {
  const { redis, window, writeWithinMs, settleMs, now } = options;
  let failure = 'check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE';
  const tell = (said: string): void => {
    failure = said;
  };
  const workedAt = await proveWrite(redis, writeWithinMs, now, signal, tell);
  if (workedAt === undefined) {
    return {
      measures: [],
      message: `${redis.name} took no write within ${Math.round(writeWithinMs)} ms: ${failure}`,
    };
  }
  const accepted = `${redis.name} takes writes again (a real one was accepted)`;
  if (!window) {
    return { workedAt, measures: [], message: `${accepted}; the counters of this fault are not known` };
  }

  const deadline = performance.now() + settleMs;
  let away = options.drifted;
  let atRest: number | undefined;
  let drift: number | undefined;
  let stored = 0;
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
      stored = sample.stored;
      if (drift > 0) {
        away = true;
        atRest = undefined;
      } else if (atRest === undefined) atRest = sample.readAt;
      else {
        // Counters that never parted were at rest all the time: no moment of that is worth a figure.
        const rested = { workedAt, ...(away && { restedAt: atRest }) };
        const gone = forgotten(options.admitted, sample);
        if (gone.length > 0) {
          const counts = Math.max(0, sumOf(options.admitted.values()) - sample.stored);
          return {
            ...rested,
            measures: lost(counts),
            message: `${accepted}; ${gone.join(', ')}: ${counts > 0 ? `${counted(counts, 'count')} that had been admitted ${counts === 1 ? 'is' : 'are'} lost, and nodes and Redis` : 'Redis holds them all, and nodes and Redis now'} agree on ${sample.stored}`,
          };
        }
        return {
          ...rested,
          measures: lost(0),
          message: `${accepted}; ${away ? 'the counters converged' : 'the counters had not drifted'}: nodes and Redis agree on ${sample.stored}`,
        };
      }
    }
    await pauseFor(SAMPLE_EVERY_MS, signal);
  } while (performance.now() < deadline);

  if (drift === undefined) {
    return {
      workedAt,
      measures: [],
      message: `${accepted}; the counters could not be read at the end, so it is not known whether any are lost: ${problem}`,
    };
  }
  // What a node has forgotten is lost as well.
  const missing = Math.max(drift, sumOf(options.admitted.values()) - stored);
  return {
    workedAt,
    measures: lost(Math.max(0, missing)),
    message:
      missing > 0
        ? `${accepted}; ${counted(missing, 'count')} never reached Redis within ${settleMs} ms`
        : `${accepted}; the counters came to rest only at the very end`,
  };
}

/** Nodes that say less now than they had admitted: they have forgotten it, or never counted it. */
function forgotten(before: ReadonlyMap<string, number>, { admitted }: CounterSample): string[] {
  return [...before].flatMap(([node, count]) => {
    const now = admitted.get(node) ?? 0;
    return now < count ? [`${node} had admitted ${count} and counts ${now} now`] : [];
  });
}

function lost(counts: number): Measure[] {
  return [{ name: 'lostCounts', value: counts, unit: 'counts' }];
}
