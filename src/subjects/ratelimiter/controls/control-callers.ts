/**
 * The controls before any fault: a caller is admitted up to its limit and then rejected by every pod, and that is
 * counted in the Redis that the spec names. What they measure is the baseline against which faults are judged.
 */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, formatDuration, span } from '../../../api/index.ts';
import { countByPod } from '../../checkers/requests.ts';
import { measureWrites, storeControlOf } from '../../controls/store-control.ts';
import { type AdmittedByPod, missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import { sumOf } from '../../history/counts.ts';
import type { CallerRequest } from '../../history/events.ts';
import { outcomeOf } from '../../http/caller-request.ts';
import type { PodClient } from '../../http/pod-client.ts';
import type { HttpRequest } from '../../http/request.ts';
import { timeoutOf } from '../../spec/pods-schema.ts';
import { type CountTools, sampleCounts } from '../interfaces/counts.ts';
import { type ExhaustOptions, exhaustLimit, MOST_OVER } from '../interfaces/exhaust-limit.ts';
import { admittedAtOnce, type RateLimit, type TokenBucket } from '../limits/rate-limit.ts';
import { untilItFits } from '../limits/window-turn.ts';
import { limitOf, PART } from '../spec/schema.ts';
import { controlProblem, limitNotKept, ONE_CALLER, overAdmissionOf } from './control-problem.ts';
import { measureLag } from './lag.ts';
import type { CallerControls, Lag, Toolkit } from './tools.ts';

/** How long the control may take, in milliseconds; it has to fit into a window by the clock. */
const CONTROL_MS = 2000;
/** In a shorter window a count may be gone before it is read. */
const COUNTABLE_WINDOW_MS = 5000;
/** The most requests to see pods reject that count separately, unless twice the limit is more. */
const MOST_ALONE = 1000;
/** How long the count may take to reach all that was admitted, and how often it is read until then; milliseconds. */
const [REST_MS, POLL_MS] = [5000, 50];

type Parts = Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now' | 'ownLimit' | 'redis' | 'room'>;

/**
 * @param key of the control: the names of all its keys begin with it
 * @param rates of steady traffic whose count lag is needed, in requests per second
 * @throws Error with the problem and what to do; RedisClientError
 */
export async function controlCallers(
  toolkit: Parts,
  { key, rates }: { readonly key: string; readonly rates: readonly number[] },
  signal: AbortSignal,
): Promise<CallerControls> {
  const writes = await measureWrites(toolkit.redis, signal);
  const { denying, isCounted, refill, seen, storeDoubt } = await controlLimit(toolkit, key, signal);
  const lags = new Map<number, Lag>();
  for (const rate of isCounted ? new Set(rates) : []) {
    lags.set(rate, await measureLag(toolkit, `${key}-counting-${rate}`, rate, signal));
  }
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `at most ${counted(lag, 'count')} behind at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    message: `Baseline: a write to Redis takes at most ${writes.writeMaxMs.toFixed(1)} ms. Without a fault, ${[...seen, ...behind, refill].join('; ')}`,
    ...(storeDoubt !== undefined && { storeDoubt }),
    baseline: { ...writes, lags, denying },
  };
}

/** One caller exhausts its limit. `seen`: observations in words; `isCounted`: a count can be read, and so its lag measured. */
async function controlLimit(toolkit: Parts, fixture: string, signal: AbortSignal) {
  const { podClients: clients, callers, limiter, now, ownLimit, redis } = toolkit;
  const key = `${fixture}-denying`;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  const countable =
    (limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow') &&
    limit.windowMs >= COUNTABLE_WINDOW_MS;
  const isCounted = countable && limiter.redis.count !== undefined;
  // A count that can be read shows that the limiter uses this Redis.
  const store = isCounted ? undefined : storeControlOf(redis, PART);
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
  const byPod = countByPod(requests.filter(({ outcome }) => outcome === 'Admitted'));
  const [admitted, sent] = [sumOf(byPod.values()), requests.length];
  const seen = [`one caller was admitted ${counted(admitted, 'time')} and then rejected by every pod`];
  const inStore = await store?.conclude(
    requests,
    countable ? 'set rateLimiter.redis.count, which shows it' : undefined,
    signal,
  );
  if (inStore) seen.push(inStore.message);
  if (!ownLimit) await requireNewCaller(toolkit, `${fixture}-new`, signal);
  const again = { ...options, clients, most: full + MOST_OVER };
  const refill = await controlRefill(limit, requests, again, signal).finally(() => ownLimit?.used());
  if (isCounted) {
    const stored = await settledCount(toolkit, key, Object.fromEntries(byPod), sent, signal);
    seen.push(`Redis counted ${stored} of ${sent} for it`);
  }
  return { denying: { limit: full, sent, admitted }, seen, refill, storeDoubt: inStore?.doubt, isCounted };
}

/** Health checks must not use up the only limit. @throws Error if a pod rejects one once that limit is used up */
async function requireFreeHealth(toolkit: Parts, signal: AbortSignal): Promise<void> {
  const { path } = toolkit.limiter.health;
  if (path === undefined) return;
  for (const client of toolkit.podClients) {
    if (!(await isRejected(toolkit, client, { method: 'GET', path }, signal))) continue;
    throw new Error(
      `${client.pod.name}: GET ${path} was rejected once the limit of the operator's address was used up, so health checks use it up, too: set rateLimiter.health.path to one that no limiter counts, or leave it out`,
    );
  }
}

/**
 * A new caller is admitted although another has used its limit up: the limiter distinguishes them.
 * @throws Error if it does not
 */
async function requireNewCaller(toolkit: Parts, key: string, signal: AbortSignal): Promise<void> {
  const [client] = toolkit.podClients;
  if (!client || !(await isRejected(toolkit, client, toolkit.callers.requestOf(key), signal))) return;
  throw new Error(
    `without any fault ${client.pod.name} rejected the first request of a caller after another had used its limit up. ${ONE_CALLER}`,
  );
}

async function isRejected(
  { callers, limiter }: Parts,
  client: PodClient,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const result = await client.send(request, timeoutOf(limiter), signal);
  signal.throwIfAborted();
  return outcomeOf(result, callers)?.outcome === 'Rejected';
}

/**
 * The count that Redis holds of a caller, all of whose requests are answered. A limiter may also count rejections.
 * @throws Error with the counts that differ, and the field to set
 */
async function settledCount(
  tools: CountTools,
  key: string,
  admitted: AdmittedByPod,
  sent: number,
  signal: AbortSignal,
): Promise<number> {
  const total = totalAdmitted({ admitted });
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const sample = await sampleCounts(tools, key, admitted, signal);
    const { stored = 0, storeSilent } = sample;
    const missing = missingIn(sample);
    if (missing === undefined && stored >= total && stored <= sent) return stored;
    // Redis answered with something other than a count: a right is missing, or the type differs. Waiting does not help.
    const isRefused = missing !== undefined && storeSilent === false;
    if (isRefused || performance.now() >= deadline) {
      throw new Error(`without any fault ${missing ?? differing(tools, key, { stored, total, sent })}`);
    }
    await pauseFor(POLL_MS, signal);
  }
}

function differing(
  { callers, limiter, redis }: CountTools,
  key: string,
  { sent, stored, total }: Readonly<Record<'sent' | 'stored' | 'total', number>>,
): string {
  const { key: template = '', type = '' } = limiter.redis.count ?? {};
  const remedy = limiter.isBundled
    ? 'correct'
    : 'correct rateLimiter.redis.count (a count that only grows, of one caller), or';
  return `${redis.name} counts ${stored} at ${callers.fillIn(template, key)} (${type}), and of ${counted(sent, 'request')} of that caller ${total} were admitted: ${remedy} rateLimiter.redis.serviceName`;
}

/** How long the control waits for tokens; milliseconds. */
const MOST_WAIT_MS = 5000;
/** This many tokens reveal a rate that is wrong by half; fewer are within the rounding of limiters. */
const TOKENS = 4;

/**
 * Waits until tokens have been added for a caller that has exhausted its limit, and uses them up.
 * @param before the requests of that caller so far, the last of them rejected by every pod
 * @returns what was observed, or why it is unknown, in words
 * @throws InvariantBrokenError if more were added than the spec allows; Error if less than half were; the reason of
 * `signal`
 */
export async function controlRefill(
  limit: RateLimit,
  before: readonly CallerRequest[],
  options: ExhaustOptions,
  signal: AbortSignal,
): Promise<string> {
  const window = formatDuration(limit.windowMs);
  if (limit.algorithm !== 'TokenBucket') {
    return `Setup does not verify limit.window ${window}`;
  }
  const tokens = Math.min(TOKENS, limit.capacity);
  const waitMs = (tokens * limit.windowMs) / limit.requests + (limit.refillEveryMs ?? 0);
  if (waitMs > MOST_WAIT_MS) {
    return `Setup does not verify the refill of ${counted(limit.requests, 'request')} in ${window}: ${counted(tokens, 'request')} of it take ${formatDuration(Math.ceil(waitMs))}`;
  }
  await pauseFor(waitMs, signal);
  const after = await exhaustLimit(options, signal);
  if (after.failure) return `Setup does not verify the refill: ${after.failure.problem}`;
  const due = tokensDue(limit, before, after.requests);
  const seen = after.requests.filter(({ outcome }) => outcome === 'Admitted').length;
  const ms = Math.round((after.requests.at(-1)?.sentAt ?? 0) - (before.at(-1)?.endedAt ?? 0));
  const returned = `${counted(seen, 'request')} came back in ${span(ms)}`;
  const { excess } = overAdmissionOf(limit, [...before, ...after.requests]);
  const rate = `limit.requests ${limit.requests} in limit.window ${window}`;
  if (excess > 0) {
    throw limitNotKept(
      `without any fault ${returned} to a caller that had used its limit up, ${excess} more than ${rate} allows: the refill is faster`,
    );
  }
  if (seen < due / 2) {
    throw new Error(
      `without any fault ${returned} to a caller that had used its limit up, and by ${rate} ${due} had to: the refill is slower, so correct these fields`,
    );
  }
  return returned;
}

/** The fewest tokens that, by the spec, were added between the last rejection of a caller and its last one now. */
function tokensDue(
  { capacity, refillEveryMs = 0, requests, windowMs }: TokenBucket,
  before: readonly CallerRequest[],
  after: readonly CallerRequest[],
): number {
  const from = before.at(-1)?.endedAt ?? 0;
  const until = after.findLast(({ outcome }) => outcome === 'Rejected')?.sentAt ?? from;
  const ms = Math.max(0, until - from - refillEveryMs);
  return Math.min(capacity, Math.floor((ms * requests) / windowMs));
}
