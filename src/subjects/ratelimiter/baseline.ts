/**
 * What is normal without a fault: how long a write of Redis takes, and how far its
 * counts lie behind those of the nodes at the rates of the faults' traffic. Faults are
 * judged against it. The same traffic serves as control: see controls.ts.
 */
import { truncate } from '../../api/index.ts';
import type { Outcome } from '../../demo/observed.ts';
import {
  type ControlKeys,
  type Counting,
  countingProblem,
  type Denying,
  denyingProblem,
  denyingSentence,
} from './controls.ts';
import { checkNode } from './interfaces/reference/check-node.ts';
import {
  type CounterSample,
  type SampledWindow,
  sampleCounters,
  totalAdmitted,
} from './interfaces/reference/counter-sample.ts';
import { SAMPLE_EVERY_MS, watchCounters } from './interfaces/reference/counter-watch.ts';
import type { LimiterClient } from './interfaces/reference/limiter-client.ts';
import { type LimitWindow, removeRateLimit, setupRateLimit } from './interfaces/reference/setup-limit.ts';
import { runSteadyTraffic, type TrafficListener } from './interfaces/steady-traffic.ts';
import { leftOutShortfall, type TrafficRoom } from './interfaces/traffic-room.ts';
import type { RedisConnections } from './store/redis-client.ts';
import { pauseFor, TIMED_OUT, within } from './waiting.ts';
import { counted, sumOf } from './words.ts';

const WRITES = 20;
const WRITE_TIMEOUT_MS = 5000;
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
/** How long the counters may take at least to come to rest once nothing is sent any more. */
const REST_MS = 5000;
/** Once they are at rest, the nodes may take so long to learn of each other's counts. */
const LEARN_MS = 250;
/** Limit of the key on which the limiter has to deny; that of the spec where it is lower. */
const MOST_DENYING_LIMIT = 50;
/** Checks beyond that limit, and how long they and those before are spread over. */
const LEAST_BEYOND = 10;
const MOST_BEYOND = 50;
const SPREAD_MS = 500;
/** A control key's window is at least so long: it must not end while it is used. */
const CONTROL_WINDOW_MS = 60_000;
/** Characters that a message quotes of what a node answered. */
const MOST_PROBLEM = 200;
/** How long the control key may take to be removed again. */
const CLEAN_UP_MS = 5000;

/** How far Redis lay behind the nodes at one rate. */
export interface Lag {
  /** The furthest that the nodes were ahead of Redis. */
  readonly lag: number;
  readonly samples: number;
}

export interface Baseline {
  readonly writeP50Ms: number;
  readonly writeMaxMs: number;
  /** By the rate of the traffic, in requests per second. */
  readonly lags: ReadonlyMap<number, Lag>;
  readonly counting: Counting;
  readonly denying: Denying;
}

export interface BaselineOptions {
  readonly clients: readonly LimiterClient[];
  readonly observers: readonly LimiterClient[];
  /** For the traffic. */
  readonly loaders: readonly LimiterClient[];
  readonly room: TrafficRoom;
  readonly redis: RedisConnections;
  /** Keys that only this measurement uses. */
  readonly keys: ControlKeys;
  /** Rates of steady traffic at which the lag is needed, in requests per second. */
  readonly rates: readonly number[];
  readonly limit: number;
  readonly windowMs: number;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The measurement could not be made, or a control failed; the message says what to do. */
class BaselineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BaselineError';
  }
}

/**
 * Measures all of it, on control keys that are removed again.
 * @throws BaselineError, RedisClientError, SetupError
 */
export async function measureBaseline(options: BaselineOptions, signal: AbortSignal): Promise<Baseline> {
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
    orEnd(measureRates(options, all)),
    orEnd(
      onControlKey(options, options.keys.denying, denyingLimit(options), all, async (window) =>
        measureDenying(options, window, all),
      ),
    ),
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
export function outcomeOf({ writeP50Ms, writeMaxMs, lags, counting, denying }: Baseline): Outcome {
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `${counted(lag, 'count')} behind the nodes at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    ok: true,
    message: `Baseline: a write to Redis takes ${writeP50Ms.toFixed(1)} ms (slowest ${writeMaxMs.toFixed(1)} ms), and Redis is at most ${behind.join(', ')}; at rest it holds all ${counting.stored} that were allowed. ${denyingSentence(denying)}`,
  };
}

/** Latencies of real writes, one after the other, from the fastest to the slowest. */
export async function measureWrites(redis: RedisConnections, signal: AbortSignal): Promise<number[]> {
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

/** The lag at each rate, one after the other: they would disturb each other. */
async function measureRates(
  options: BaselineOptions,
  signal: AbortSignal,
): Promise<Pick<Baseline, 'lags' | 'counting'>> {
  const rates = options.rates.length > 0 ? [...new Set(options.rates)] : [LIGHT_RATE];
  const lags = new Map<number, Lag>();
  let counting: Counting | undefined;
  for (const rate of rates) {
    // So high that everything which is sent is admitted, and counted.
    const limit = Math.ceil(rate * ((LAG_WITHIN_MS + LAG_MS) / 1000));
    const measured = await onControlKey(options, options.keys.counting, limit, signal, async (window) =>
      measureRate(options, window, rate, signal),
    );
    lags.set(rate, measured.lag);
    counting ??= measured.counting;
  }
  if (counting === undefined) throw new RangeError('there is no rate to measure at');
  return { lags, counting };
}

async function measureRate(
  options: BaselineOptions,
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

function denyingLimit({ limit }: BaselineOptions): number {
  return Math.min(limit, MOST_DENYING_LIMIT);
}

/** The whole limit, and when all have had time to learn of that, some more for each node. */
async function measureDenying(
  options: BaselineOptions,
  window: LimitWindow,
  signal: AbortSignal,
): Promise<Denying> {
  const { limit } = window;
  const beyond = Math.min(MOST_BEYOND, Math.max(LEAST_BEYOND, 2 * options.clients.length));
  const spread = (requests: number): { requests: number; requestsPerSecond: number } => ({
    requests,
    requestsPerSecond: (requests * 1000) / SPREAD_MS,
  });
  const before = await sendChecks(options, window, spread(limit), signal, signal);
  // Counters that cannot be read are told of where the lag is measured.
  await atRest(options, window, restWithinMs(options), signal).catch(() => signal.throwIfAborted());
  await pauseFor(LEARN_MS, signal);
  const after = await sendChecks(options, window, spread(beyond), signal, signal);
  const problem = before.problem ?? after.problem;
  const denying = {
    limit,
    sent: before.sent + after.sent,
    allowed: sumOf(before.allowed.values()) + sumOf(after.allowed.values()),
    denied: before.denied + after.denied,
    ...(problem !== undefined && { problem }),
  };
  const failure = denyingProblem(denying);
  if (failure !== undefined) throw new BaselineError(failure);
  return denying;
}

function restWithinMs({ timeoutMs }: BaselineOptions): number {
  return Math.max(REST_MS, timeoutMs);
}

/** The counters once nodes and Redis agree, or as they are in the end. @throws BaselineError where they could not be read */
async function atRest(
  { observers, redis, now }: BaselineOptions,
  window: SampledWindow,
  withinMs: number,
  signal: AbortSignal,
): Promise<Pick<Counting, 'admitted' | 'stored'>> {
  const deadline = performance.now() + withinMs;
  let last: Pick<Counting, 'admitted' | 'stored'> | undefined;
  let problem: string | undefined;
  do {
    const sample = await sampleCounters(observers, redis, window, now, signal);
    const { admitted, stored } = sample;
    if (stored === undefined || admitted.size < observers.length) {
      problem = sample.problems[0] ?? `${sample.elsewhere.join(', ')} lost the key`;
    } else {
      last = { admitted, stored };
      if (totalAdmitted(sample) === stored) return last;
    }
    await pauseFor(SAMPLE_EVERY_MS, signal);
  } while (performance.now() < deadline);
  if (last) return last;
  throw new BaselineError(`the counters could not be read without any fault: ${problem}`);
}

/** Sends checks and waits for the answers. */
async function sendChecks(
  { loaders: clients, room }: BaselineOptions,
  window: SampledWindow,
  traffic: { readonly requestsPerSecond: number; readonly requests?: number },
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<Pick<Counting, 'allowed' | 'open' | 'refused' | 'sent'> & Pick<Denying, 'denied' | 'problem'>> {
  const allowed = new Map(clients.map(({ name }) => [name, 0]));
  let [sent, answered, denied, failed, leftOut] = [0, 0, 0, 0, 0];
  let problem: string | undefined;
  const listener: TrafficListener = {
    sent() {
      sent += 1;
      return () => {
        sent -= 1;
      };
    },
    answered(node, yes) {
      answered += 1;
      if (yes) allowed.set(node, (allowed.get(node) ?? 0) + 1);
    },
    unanswered: () => undefined,
    ended(_, got) {
      if (got === 'Failed') failed += 1;
      else if (got === 'Denied') denied += 1;
    },
    leftOut() {
      leftOut += 1;
    },
  };
  const hear = (message: string): void => {
    problem ??= truncate(message, MOST_PROBLEM);
  };
  const nodes = clients.map((client) => checkNode(client, window, hear));
  await runSteadyTraffic({ nodes, ...traffic, room }, listener, stop, lifetime);
  if (leftOut > 0) throw new BaselineError(leftOutShortfall(leftOut));
  const open = sent - answered;
  // An answer that is none has failed, too, and is open all the same.
  const refused = Math.max(0, failed - open);
  return { allowed, sent, open, refused, denied, ...(problem !== undefined && { problem }) };
}

/** Works on a control key with a fresh window, which is removed again. */
async function onControlKey<T>(
  { clients, windowMs, timeoutMs }: BaselineOptions,
  key: string,
  limit: number,
  signal: AbortSignal,
  work: (window: LimitWindow) => Promise<T>,
): Promise<T> {
  try {
    const lasting = Math.max(windowMs, CONTROL_WINDOW_MS);
    return await work(await setupRateLimit(clients, key, limit, lasting, timeoutMs, signal));
  } finally {
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await removeRateLimit(clients, key, within).catch(() => undefined);
  }
}
