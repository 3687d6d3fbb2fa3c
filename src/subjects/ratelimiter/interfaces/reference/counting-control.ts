/**
 * That the nodes admit, and count in the very Redis that is to be paused; and how far that lies behind them without a
 * fault, at the rates of the faults' traffic.
 */

import { counted } from '../../../../api/index.ts';
import { type Baseline, BaselineError, type Lag } from '../../baseline.ts';
import { type Counting, countingProblem } from '../../controls.ts';
import { pauseFor } from '../../waiting.ts';
import { atRest, type ControlOptions, onControlKey, restWithinMs, sendChecks } from './control-traffic.ts';
import { type CounterSample, sampleCounters, totalAdmitted } from './counter-sample.ts';
import { watchCounters } from './counter-watch.ts';
import type { LimitWindow } from './setup-limit.ts';

/** How long the counters are watched at each rate, at least. */
const LAG_MS = 1000;
/** And at most, where they are slow to read. */
const LAG_WITHIN_MS = 15_000;
/**
 * No whole part of the time in which limiters share their counts, often 100 ms: samples in step with that would see
 * the same moment of it each time, and perhaps the one right after.
 */
const LAG_SAMPLE_EVERY_MS = 70;
const MIN_SAMPLES = 5;
/** Rate of the control traffic where no fault has any. */
const LIGHT_RATE = 20;

/**
 * The lag at each rate, in requests per second, one after the other: they would disturb each other. On `key`, which is
 * removed again. @throws BaselineError, SetupError, the reason of `signal`
 */
export async function measureRates(
  options: ControlOptions,
  key: string,
  wanted: readonly number[],
  signal: AbortSignal,
): Promise<Pick<Baseline, 'lags'> & { readonly counting: Counting }> {
  const rates = wanted.length > 0 ? [...new Set(wanted)] : [LIGHT_RATE];
  const lags = new Map<number, Lag>();
  let counting: Counting | undefined;
  for (const rate of rates) {
    // So high that everything which is sent is admitted, and counted.
    const limit = Math.ceil(rate * ((LAG_WITHIN_MS + LAG_MS) / 1000));
    const measured = await onControlKey(options, key, limit, signal, async (window) =>
      measureRate(options, window, rate, signal),
    );
    lags.set(rate, measured.lag);
    counting ??= measured.counting;
  }
  if (counting === undefined) throw new RangeError('there is no rate to measure at');
  return { lags, counting };
}

async function measureRate(
  options: ControlOptions,
  window: LimitWindow,
  requestsPerSecond: number,
  signal: AbortSignal,
): Promise<{ lag: Lag; counting: Counting }> {
  const { observers, redis, now } = options;
  let lag = 0;
  let samples = 0;
  let problem: string | undefined;
  let took = 0;
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  const take = (sample: CounterSample): void => {
    if (sample.stored === undefined || sample.admitted.size < observers.length) {
      problem ??= sample.problems[0] ?? `${sample.elsewhere.join(', ')} lost the key`;
      return;
    }
    samples += 1;
    lag = Math.max(lag, totalAdmitted(sample) - sample.stored);
  };
  const look = async (end: AbortSignal): Promise<CounterSample> =>
    await sampleCounters(observers, redis, window, now, end);
  const watch = watchCounters(look, take, stop, { everyMs: LAG_SAMPLE_EVERY_MS });
  const traffic = sendChecks(options, window, { requestsPerSecond }, stop, signal);
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
  const { allowed, open, refused, sent } = await traffic;
  const withinMs = restWithinMs(options);
  const { admitted, stored } = await atRest(options, window, withinMs, signal);
  const counting = { sent, open, refused, allowed, admitted, stored, withinMs };
  const failure = countingProblem(counting, redis.name);
  if (failure !== undefined) throw new BaselineError(failure);
  return { lag: { lag, samples }, counting };
}
