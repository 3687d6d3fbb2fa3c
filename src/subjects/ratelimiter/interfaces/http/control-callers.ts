/**
 * The controls before any fault: a caller is admitted up to its limit and then rejected by every pod, and that is
 * counted in the Redis that the spec names.
 */

import { counted } from '../../../../api/index.ts';
import { type Control, type ControlKeys, controlKeys } from '../../checkers/controls.ts';
import { sumOf } from '../../history/counts.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { untilItFits } from '../../limits/window-turn.ts';
import { limitOf, timeoutOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import type { Baseline, Lag } from '../baseline.ts';
import { outcomeOf } from '../caller-request.ts';
import { exhaustLimit, MOST_OVER } from '../exhaust-limit.ts';
import { measureWrites } from '../write-latency.ts';
import { settledCount } from './control-counts.ts';
import { controlProblem, ONE_CALLER } from './control-problem.ts';
import { measureLag } from './lag.ts';
import { controlRefill } from './refill-control.ts';
import { StoreControl } from './store-control.ts';

/** How long the control may take, in milliseconds; it has to fit into a window by the clock. */
const CONTROL_MS = 2000;
/** In a shorter window a count may be gone before it is read. */
const COUNTABLE_WINDOW_MS = 5000;
/** The most requests to see pods reject that count separately, unless twice the limit is more. */
const MOST_ALONE = 1000;
/** What the controls showed. */
export interface CallerControls {
  readonly message: string;
  /** Why it is not shown that the limiter counts in this Redis; undefined: it is. */
  readonly storeDoubt?: string;
  readonly baseline: Baseline;
}

type Parts = Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now' | 'ownLimit' | 'redis' | 'room'>;

/**
 * @param key of the control: the names of all its keys begin with it, see {@link controlKeys}
 * @param rates of steady traffic whose count lag is needed, in requests per second
 * @throws Error with the problem and what to do; RedisClientError
 */
export async function controlCallers(
  toolkit: Parts,
  { key, rates }: { readonly key: string; readonly rates: readonly number[] },
  signal: AbortSignal,
): Promise<CallerControls> {
  const { redis } = toolkit;
  const writes = await measureWrites(redis, signal);
  const writeMaxMs = writes.at(-1) ?? 0;
  const keys = controlKeys(key);
  const { control, isCounted, refill, seen, storeDoubt } = await controlLimit(toolkit, keys, signal);
  const lags = new Map<number, Lag>();
  for (const requestsPerSecond of isCounted ? new Set(rates) : []) {
    const keyPrefix = `${keys.counting}-${requestsPerSecond}`;
    const traffic = { keyPrefix, requestsPerSecond };
    lags.set(requestsPerSecond, await measureLag(toolkit, traffic, signal));
  }
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `at most ${counted(lag, 'count')} behind at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    message: `Baseline: a write to Redis takes at most ${writeMaxMs.toFixed(1)} ms. Without a fault, ${[...seen, ...behind, refill].join('; ')}`,
    ...(storeDoubt !== undefined && { storeDoubt }),
    baseline: {
      writeP50Ms: writes[Math.floor(writes.length / 2)] ?? 0,
      writeMaxMs,
      lags,
      denying: control,
    },
  };
}

/** Observations of one caller that exhausted its limit. */
interface LimitControl {
  readonly control: Control;
  /** In words. */
  readonly seen: readonly string[];
  readonly refill: string;
  readonly storeDoubt?: string;
  /** Whether a count can be read, and so its lag measured. */
  readonly isCounted: boolean;
}

async function controlLimit(
  toolkit: Parts,
  { denying: key, other }: ControlKeys,
  signal: AbortSignal,
): Promise<LimitControl> {
  const { podClients: clients, callers, limiter, now, ownLimit, redis } = toolkit;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  const countable =
    (limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow') &&
    limit.windowMs >= COUNTABLE_WINDOW_MS;
  const isCounted = countable && limiter.redis.count !== undefined;
  // A count that can be read shows that the limiter uses this Redis.
  const store = isCounted ? undefined : new StoreControl(redis);
  const pods = clients.map(({ pod }) => pod.name);
  await ownLimit?.untilReplenished(signal);
  await store?.rest(signal);
  await untilItFits(limit, CONTROL_MS, now, signal);
  const options = {
    clients: store?.around(clients) ?? clients,
    callers,
    key,
    // Enough, within a bound, for all pods to reject, even if each counts separately.
    most: Math.max(2 * full, Math.min(clients.length * full, MOST_ALONE)) + MOST_OVER,
    callerTimeoutMs: timeoutOf(limiter),
    windowMs: limit.windowMs,
    ...(limiter.isBundled && { syncAt: full }),
  };
  const exhausted = await exhaustLimit(options, signal).finally(() => ownLimit?.used());
  // First, since health checks may be why a limit is used up too soon.
  if (ownLimit && exhausted.exhausted) await requireFreeHealth(toolkit, signal);
  const problem = controlProblem(toolkit, full, exhausted, 'rateLimiter.health.timeout');
  if (problem) throw problem;
  const { requests } = exhausted;
  const byPod = new Map(pods.map((pod) => [pod, 0]));
  for (const { outcome, pod } of requests) {
    if (outcome === 'Admitted') byPod.set(pod, (byPod.get(pod) ?? 0) + 1);
  }
  const [admitted, sent] = [sumOf(byPod.values()), requests.length];
  const seen = [`one caller was admitted ${counted(admitted, 'time')} and then rejected by every pod`];
  const inStore = await store?.conclude(requests, countable, signal);
  if (inStore) seen.push(inStore.message);
  if (!ownLimit) await requireNewCaller(toolkit, other, signal);
  const again = { ...options, clients, most: full + MOST_OVER };
  const refill = await controlRefill(limit, requests, again, signal).finally(() => ownLimit?.used());
  if (isCounted) {
    const stored = await settledCount(toolkit, key, { admitted: byPod, sent }, signal);
    seen.push(`Redis counted ${stored} of ${sent} for it`);
  }
  return {
    control: { limit: full, sent, admitted },
    seen,
    refill,
    ...(inStore?.doubt !== undefined && { storeDoubt: inStore.doubt }),
    isCounted,
  };
}

/**
 * Health checks must not use up the only limit.
 * @throws Error if a pod rejects a health check once that limit is used up
 */
async function requireFreeHealth(
  { podClients, callers, limiter }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const { path } = limiter.health;
  for (const client of podClients) {
    const result = await client.send({ method: 'GET', path }, timeoutOf(limiter), signal);
    signal.throwIfAborted();
    if (outcomeOf(result, callers)?.outcome !== 'Rejected') continue;
    throw new Error(
      `${client.pod.name}: GET ${path} was rejected once the limit of the operator's address was used up, so health checks use it up, too: set rateLimiter.health.path to one that no limiter counts`,
    );
  }
}

/**
 * A new caller is admitted although another has used its limit up: the limiter distinguishes them.
 * @throws Error if it does not
 */
async function requireNewCaller(
  { podClients, callers, limiter }: Parts,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const [client] = podClients;
  if (!client) return;
  const result = await client.send(callers.requestOf(key), timeoutOf(limiter), signal);
  signal.throwIfAborted();
  if (outcomeOf(result, callers)?.outcome !== 'Rejected') return;
  throw new Error(
    `without any fault ${client.pod.name} rejected the first request of a caller after another had used its limit up. ${ONE_CALLER}`,
  );
}
