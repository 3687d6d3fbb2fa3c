/** Measures the baseline through the reference interface, and makes the controls of it. */

import { counted } from '../../../../api/index.ts';
import type { Outcome } from '../../../../demo/observed.ts';
import type { Baseline } from '../../baseline.ts';
import { type ControlKeys, type Counting, denyingSentence } from '../../controls.ts';
import { measureWrites } from '../../write-latency.ts';
import type { ControlOptions } from './control-traffic.ts';
import { measureRates } from './counting-control.ts';
import { measureDenying } from './denying-control.ts';

export interface BaselineOptions extends ControlOptions {
  /** Keys that only this measurement uses. */
  readonly keys: ControlKeys;
  /** Rates of steady traffic at which the lag is needed, in requests per second. */
  readonly rates: readonly number[];
}

/** With what showed that the limiter counts in this Redis. */
export interface ReferenceBaseline extends Baseline {
  readonly counting: Counting;
}

/**
 * Measures all of it, on control keys that are removed again.
 * @throws BaselineError, RedisClientError, SetupError
 */
export async function measureBaseline(
  options: BaselineOptions,
  signal: AbortSignal,
): Promise<ReferenceBaseline> {
  const latencies = await measureWrites(options.redis, signal);
  const failed = new AbortController();
  const all = AbortSignal.any([signal, failed.signal]);
  // Where one fails the other ends at once, and each has removed its key before this does.
  const orEnd = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      if (!failed.signal.aborted) failed.abort(error);
      throw error;
    });
  const [rates, denying] = await Promise.allSettled([
    orEnd(measureRates(options, options.keys.counting, options.rates, all)),
    orEnd(measureDenying(options, options.keys.denying, all)),
  ]);
  if (rates.status === 'rejected' || denying.status === 'rejected') throw failed.signal.reason;
  return {
    writeP50Ms: latencies[Math.floor(latencies.length / 2)] ?? 0,
    writeMaxMs: latencies.at(-1) ?? 0,
    ...rates.value,
    denying: denying.value,
  };
}

/** What was measured, for people. */
export function outcomeOf({ writeP50Ms, writeMaxMs, lags, counting, denying }: ReferenceBaseline): Outcome {
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `${counted(lag, 'count')} behind the nodes at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    ok: true,
    message: `Baseline: a write to Redis takes ${writeP50Ms.toFixed(1)} ms (slowest ${writeMaxMs.toFixed(1)} ms), and Redis is at most ${behind.join(', ')}; at rest it holds all ${counting.stored} that were allowed. ${denyingSentence(denying)}`,
  };
}
