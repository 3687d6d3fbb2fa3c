/** How far counts lag behind what was admitted, without a fault: under steady traffic of callers under their limit. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../api/index.ts';
import { missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import { leftOutShortfall } from '../../http/failure.ts';
import { timeoutOf } from '../../spec/pods-schema.ts';
import { sampleCounts, watchCounters } from '../interfaces/counts.ts';
import { admittedAtOnce } from '../limits/rate-limit.ts';
import { untilItFits } from '../limits/window-turn.ts';
import { rulesOf } from '../spec/schema.ts';
import { podByPod, runTraffic } from '../workloads/traffic.ts';
import type { Lag, Toolkit } from './tools.ts';

/** How long counts are compared at each rate: at least, and at most if they are slow to read; milliseconds. */
const LAG_MS = 1000;
const LAG_WITHIN_MS = 15_000;
const MIN_SAMPLES = 5;
/** Not a divisor of the interval at which limiters share their counts. */
const SAMPLE_EVERY_MS = 70;

type Parts = Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now' | 'redis' | 'room'>;

/**
 * The furthest that counts lagged behind what was admitted.
 * @param keyPrefix of the keys of the callers
 * @throws Error if the counts could not be read often enough
 */
export async function measureLag(
  parts: Parts,
  keyPrefix: string,
  requestsPerSecond: number,
  signal: AbortSignal,
): Promise<Lag> {
  const { podClients, callers, limiter, now, room } = parts;
  const rules = rulesOf(limiter);
  const full = admittedAtOnce(rules);
  await untilItFits(rules, LAG_WITHIN_MS, now, signal);
  /** The caller of the last request, and its admissions by the sender's own count. */
  const last = { key: `${keyPrefix}-0`, admitted: 0 };
  let [lag, samples, leftOut] = [0, 0, 0];
  let problem: string | undefined;
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  /** A new caller each time that one has used its limit. */
  const keyOf = (turn: number): string => {
    const key = `${keyPrefix}-${Math.floor(turn / full)}`;
    if (key !== last.key) Object.assign(last, { key, admitted: 0 });
    return key;
  };
  const traffic = runTraffic(
    {
      schedule: podByPod(podClients, keyOf),
      turnsPerSecond: requestsPerSecond,
      callers,
      callerTimeoutMs: timeoutOf(limiter),
      room,
      leftOut() {
        leftOut += 1;
      },
    },
    ({ key, outcome }) => {
      if (key === last.key && outcome === 'Admitted') last.admitted += 1;
    },
    stop,
    signal,
  );
  const compared = watchCounters(
    async (end) => {
      const { admitted, key } = last;
      return await sampleCounts(parts, key, { [key]: admitted }, end);
    },
    (sample) => {
      const { stored = 0 } = sample;
      const missing = missingIn(sample);
      problem = missing ?? problem;
      if (missing !== undefined) return;
      lag = Math.max(lag, totalAdmitted(sample) - stored);
      samples += 1;
    },
    stop,
    { everyMs: SAMPLE_EVERY_MS },
  );
  const sent = Promise.all([compared, traffic]);
  const start = performance.now();
  try {
    do await pauseFor(LAG_MS, signal);
    while (samples < MIN_SAMPLES && problem === undefined && performance.now() - start < LAG_WITHIN_MS);
  } finally {
    enough.abort();
    await sent;
  }
  if (leftOut > 0) throw new Error(leftOutShortfall(leftOut));
  if (samples >= MIN_SAMPLES) return { lag, samples };
  throw new Error(
    `the counters could be read only ${counted(samples, 'time')} without any fault: ${problem ?? 'replies came too slowly'}`,
  );
}
