/** How far counts lag behind what was admitted, without a fault: under steady traffic of callers under their limit. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../../api/index.ts';
import { type AdmittedByPod, missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import type { RequestResult } from '../../http/pod-client.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { untilItFits } from '../../limits/window-turn.ts';
import { limitOf, timeoutOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import { type Due, leftOutShortfall, podByPod, runTraffic, usedTimes } from '../../workloads/traffic.ts';
import type { Lag } from '../baseline.ts';
import { outcomeOf } from '../caller-request.ts';
import { watchCounters } from '../counter-watch.ts';
import { sampleCounts } from '../counts.ts';

/** How long counts are compared at each rate: at least, and at most if they are slow to read; milliseconds. */
const LAG_MS = 1000;
const LAG_WITHIN_MS = 15_000;
const MIN_SAMPLES = 5;
/** Not a divisor of the interval at which limiters share their counts. */
const SAMPLE_EVERY_MS = 70;

type Parts = Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now' | 'redis' | 'room'>;

export interface LagTraffic {
  /** Prefix of the keys of its callers. */
  readonly keyPrefix: string;
  readonly requestsPerSecond: number;
}

/**
 * The furthest that counts lagged behind what was admitted.
 * @throws Error if the counts could not be read often enough
 */
export async function measureLag(
  parts: Parts,
  { keyPrefix, requestsPerSecond }: LagTraffic,
  signal: AbortSignal,
): Promise<Lag> {
  const { podClients, callers, limiter, now, room } = parts;
  const timeoutMs = timeoutOf(limiter);
  const limit = limitOf(limiter);
  await untilItFits(limit, LAG_WITHIN_MS, now, signal);
  const keys = usedTimes(numbered(keyPrefix), admittedAtOnce(limit));
  const reader = new CounterReader(parts, `${keyPrefix}-0`);
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  let leftOut = 0;
  const traffic = runTraffic(
    {
      schedule: podByPod(podClients, 'Steady', keys),
      turnsPerSecond: requestsPerSecond,
      callers,
      callerTimeoutMs: timeoutMs,
      room,
      leftOut() {
        leftOut += 1;
      },
      sending: (due) => reader.sending(due),
    },
    () => undefined,
    stop,
    signal,
  );
  const sent = Promise.all([reader.watch(stop), traffic]);
  const start = performance.now();
  try {
    do await pauseFor(LAG_MS, signal);
    while (
      reader.samples < MIN_SAMPLES &&
      reader.problem === undefined &&
      performance.now() - start < LAG_WITHIN_MS
    );
  } finally {
    enough.abort();
    await sent;
  }
  if (leftOut > 0) throw new Error(leftOutShortfall(leftOut));
  const { lag, problem, samples } = reader;
  if (samples >= MIN_SAMPLES) return { lag, samples };
  throw new Error(
    `the counters could be read only ${counted(samples, 'time')} without any fault: ${problem ?? 'answers came too slowly'}`,
  );
}

/** The sender's own count, compared with that in Redis. */
class CounterReader {
  lag = 0;
  samples = 0;
  /** Why a value could not be read. */
  problem: string | undefined;
  readonly #parts: Parts;
  readonly #admitted = new Map<string, number>();
  /** The caller of the last request. */
  #key: string;

  constructor(parts: Parts, first: string) {
    this.#parts = parts;
    this.#key = first;
  }

  /** Call before a request is sent; pass its answer to the returned function. */
  sending({ key }: Due): (result: RequestResult) => void {
    this.#key = key;
    return (result) => {
      if (outcomeOf(result, this.#parts.callers)?.outcome === 'Admitted')
        this.#admitted.set(key, (this.#admitted.get(key) ?? 0) + 1);
    };
  }

  /** Runs during the traffic, until `stop`. */
  async watch(stop: AbortSignal): Promise<void> {
    await watchCounters(
      async (end) => {
        const key = this.#key;
        const admitted = (): AdmittedByPod => new Map([[key, this.#admitted.get(key) ?? 0]]);
        return await sampleCounts(this.#parts, key, admitted, end);
      },
      (sample) => {
        const missing = missingIn(sample);
        this.problem = missing ?? this.problem;
        if (missing !== undefined || sample.stored === undefined) return;
        this.lag = Math.max(this.lag, totalAdmitted(sample) - sample.stored);
        this.samples += 1;
      },
      stop,
      { everyMs: SAMPLE_EVERY_MS },
    );
  }
}

/** A new caller each time. */
function* numbered(prefix: string): Generator<string, never> {
  for (let number = 0; ; number += 1) yield `${prefix}-${number}`;
}
