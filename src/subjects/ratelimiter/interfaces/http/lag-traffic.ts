/** Steady traffic of callers within their limit, without a fault: until it was seen how far counts lie behind it. */
import { counted } from '../../../../api/index.ts';
import type { Lag } from '../../baseline.ts';
import { CONTROL_WINDOW_MS } from '../../controls.ts';
import type { Asked } from '../../http/node-client.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { untilItFits } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';
import { pauseFor } from '../../waiting.ts';
import { leftOutShortfall } from '../../words.ts';
import { always, type Due, podByPod, runTraffic, usedTimes } from '../../workloads/traffic.ts';
import { limitOf } from './limit-of-spec.ts';

/** How long the count is watched at each rate, at least, and at most where it is slow to read; milliseconds. */
const LAG_MS = 1000;
const LAG_WITHIN_MS = 15_000;
const MIN_SAMPLES = 5;

export type LagParts = Pick<
  Toolkit,
  'podClients' | 'callers' | 'limiter' | 'now' | 'redis' | 'reference' | 'room' | 'timeoutMs'
>;

export interface LagTraffic {
  /** Beginning of the keys of its callers, or the key of the only one if the limiter takes a limit that admits all. */
  readonly keyPrefix: string;
  readonly requestsPerSecond: number;
}

/** What was seen so far. */
export interface LagSeen extends Lag {
  /** Why something could not be seen. */
  readonly problem?: string | undefined;
}

export interface LagSource {
  /** A request is being sent; what is returned hears how it ended. */
  sending(due: Due): (asked: Asked) => void;
  readonly seen: LagSeen;
  /** Runs next to the traffic, until `stop`. @param first the caller of the first request */
  alongside?(first: string, stop: AbortSignal): Promise<void>;
  /** What is said where too little was seen, but for how often it was and why. */
  readonly tooLittle: string;
  /** Why too little may be seen where nothing went wrong. */
  readonly slow: string;
}

/** @throws Error where too little was seen, with the problem of the source */
export async function lagUnderTraffic(
  { podClients, callers, limiter, now, reference, room, timeoutMs }: LagParts,
  { keyPrefix, requestsPerSecond }: LagTraffic,
  source: LagSource,
  signal: AbortSignal,
): Promise<Lag> {
  const limit = limitOf(limiter);
  await untilItFits(limit, LAG_WITHIN_MS, now, signal);
  const most = Math.ceil((requestsPerSecond * (LAG_MS + LAG_WITHIN_MS)) / 1000);
  const caller = { key: keyPrefix, allowed: most, windowMs: CONTROL_WINDOW_MS };
  await reference?.introduce([caller], signal);
  const each = admittedAtOnce(limit);
  const keys = reference ? always(keyPrefix) : usedTimes(numbered(keyPrefix), each);
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  const beside = source.alongside?.(reference ? keyPrefix : `${keyPrefix}-0`, stop);
  let leftOut = 0;
  const traffic = runTraffic(
    {
      schedule: podByPod(podClients, { caller: 'Steady', keys }),
      turnsPerSecond: requestsPerSecond,
      callers,
      callerTimeoutMs: timeoutMs,
      room,
      leftOut() {
        leftOut += 1;
      },
      sending: (due) => source.sending(due),
    },
    () => undefined,
    stop,
    signal,
  );
  const start = performance.now();
  const goesOn = (): boolean =>
    source.seen.samples < MIN_SAMPLES &&
    source.seen.problem === undefined &&
    performance.now() - start < LAG_WITHIN_MS;
  try {
    do await pauseFor(LAG_MS, signal);
    while (goesOn());
  } finally {
    enough.abort();
    await Promise.all([beside, traffic]);
  }
  if (leftOut > 0) throw new Error(leftOutShortfall(leftOut));
  const { lag, problem, samples } = source.seen;
  if (samples >= MIN_SAMPLES) return { lag, samples };
  throw new Error(
    `${source.tooLittle} only ${counted(samples, 'time')} without any fault: ${problem ?? source.slow}`,
  );
}

/** A new caller each time. */
function* numbered(prefix: string): Generator<string, never> {
  for (let number = 0; ; number += 1) yield `${prefix}-${number}`;
}
