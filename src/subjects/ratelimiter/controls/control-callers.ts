/**
 * The controls before any fault: a caller is admitted up to its limit and then rejected by every pod, and that is
 * counted in the Redis that the spec names. What they measure is the baseline against which faults are judged.
 */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, parseDuration } from '../../../api/index.ts';
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
import { type Exhausted, exhaustLimit, MOST_OVER } from '../interfaces/exhaust-limit.ts';
import { isCountable, livingOf, nameOf, returnsOf } from '../limits/counting.ts';
import { admittedAtOnce, mostOf } from '../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, returnsWithin, untilItFits } from '../limits/window-turn.ts';
import { PART, type RateLimiterSpec, rulesOf } from '../spec/schema.ts';
import { askForReturns } from '../workloads/asking.ts';
import { controlKeys, type KeysShown } from './control-keys.ts';
import { controlProblem, ONE_CALLER } from './control-problem.ts';
import { measureLag } from './lag.ts';
import { measureWindow } from './measured-window.ts';
import type { CallerControls, Lag, Toolkit } from './tools.ts';

/** How long the control may take, in milliseconds; it has to fit into a window by the clock. */
const CONTROL_MS = 2000;
/** The largest limit that is measured. */
const MOST_MEASURED = 1000;
/** A window may end in it, if windows may end at any time. */
const ANY_SPAN = { from: 0, to: 1, fresh: true, clockWithinMs: 0 };
/** In a shorter window a count may be gone before it is read. */
const COUNTABLE_WINDOW_MS = 5000;
/** The most requests to see pods reject that count separately, unless twice the limit is more. */
const MOST_ALONE = 1000;
/** How long the count may take to reach all that was admitted, and how often it is read until then; milliseconds. */
const [REST_MS, POLL_MS] = [5000, 50];

type Parts = Pick<
  Toolkit,
  'accountOf' | 'callers' | 'limiter' | 'now' | 'ownLimit' | 'podClients' | 'redis' | 'room'
>;

/**
 * @param key of the control: the names of all its keys begin with it
 * @param rates of steady traffic whose count lag is needed, in requests per second
 * @throws Error with the problem and what to do; RedisClientError
 */
export async function controlCallers(
  given: Parts,
  { key, rates }: { readonly key: string; readonly rates: readonly number[] },
  signal: AbortSignal,
): Promise<CallerControls> {
  const writes = await measureWrites(given.redis, signal);
  const { open } = given.limiter;
  const limit = open.requests || open.window ? await measureLimit(given, key, signal) : undefined;
  const toolkit = limit ? { ...given, limiter: { ...given.limiter, limit } } : given;
  const { denying, isCounted, keys, seen, storeDoubt } = await controlLimit(toolkit, key, signal);
  const { lockOut } = keys;
  const rules = keys.rules ?? (rates.length > 0 ? await measureRules(toolkit, key, signal) : undefined);
  const lags = new Map<number, Lag>();
  for (const rate of isCounted ? new Set(rates) : []) {
    lags.set(rate, await measureLag(toolkit, `${key}-counting-${rate}`, rate, signal));
  }
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `at most ${counted(lag, 'count')} behind at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    message: `Baseline: a write to Redis takes at most ${writes.writeMaxMs.toFixed(1)} ms. Without a fault, ${[...seen, ...behind].join('; ')}${lockOut === undefined ? '' : `. Finding: ${lockOut}`}`,
    ...(limit && { limit }),
    ...(storeDoubt !== undefined && { storeDoubt }),
    baseline: {
      ...writes,
      lags,
      denying,
      ...(rules && { rules: rules.map(nameOf) }),
      ...(isStatedOnly(toolkit, keys) && { isWindowOpen: true }),
      ...(lockOut !== undefined && { lockOut }),
    },
  };
}

/** Whether a window is only stated, and new callers can show it once a result depends on it. */
function isStatedOnly({ limiter, ownLimit }: Parts, { isKept = false }: KeysShown): boolean {
  const isKnown = isKept || limiter.isBundled || limiter.open.window;
  return !isKnown && !ownLimit && returnsWithin(rulesOf(limiter)) !== undefined;
}

/** The limit, with what the spec leaves out. @throws Error with the field to set */
async function measureLimit(
  { callers, limiter, podClients }: Parts,
  fixture: string,
  signal: AbortSignal,
): Promise<RateLimiterSpec['limit']> {
  const key = `${fixture}-measured`;
  const clients = podClients.slice(0, 1);
  const options = { callers, callerTimeoutMs: timeoutOf(limiter), clients, key, windowMs: 0, rejections: 1 };
  const send = async (most: number): Promise<number> => {
    const { failure, requests } = await exhaustLimit({ ...options, most }, signal);
    if (failure) throw new Error(`without any fault ${failure.name} failed: ${failure.problem}`);
    return requests.filter(({ outcome }) => outcome === 'Admitted').length;
  };
  const { limit: stated, open } = limiter;
  const admitted = await send(MOST_MEASURED + 1);
  const requests = open.requests ? admitted : stated.requests;
  const field = `${PART}.limit`;
  if (admitted > MOST_MEASURED || admitted === 0) {
    const what = admitted === 0 ? 'rejected' : `admitted ${admitted} times, and never rejected`;
    throw new Error(`without any fault a new caller was ${what}: set ${field}.requests, or see ${PART}.http`);
  }
  if (!open.window) return { ...stated, requests };
  const clock = { now: Date.now, sleep: async (ms: number) => await pauseFor(ms, signal) };
  const { bucketSeconds, windowSeconds } = await measureWindow(send, requests, clock);
  const seconds = windowSeconds ?? (bucketSeconds === undefined ? undefined : Math.round(bucketSeconds));
  if (seconds) return { ...stated, requests, window: `${seconds}s` };
  throw new Error(
    `a caller that had used its limit of ${requests} up did not show how long a window is: set ${field}.window`,
  );
}

/**
 * By which rules the limiter may count, if counts can be compared by some of those that the spec leaves open only. It
 * takes a window.
 */
async function measureRules(toolkit: Parts, fixture: string, signal: AbortSignal) {
  const { callers, limiter, ownLimit, podClients: clients } = toolkit;
  const rules = rulesOf(limiter);
  const isOpen = rules.some(isCountable) && !rules.every(isCountable);
  if (ownLimit || !isOpen || returnsWithin(rules) === undefined) return undefined;
  const requests: CallerRequest[] = [];
  const record = (request: CallerRequest): void => void requests.push(request);
  const callerTimeoutMs = timeoutOf(limiter);
  await askForReturns({ callers, callerTimeoutMs, clients, fixture, record, rules }, signal);
  const returns = returnsOf(requests, admittedAtOnce(rules), clients.length);
  const living = livingOf(rules, returns, CLOCK_WITHIN_MS);
  return living.length > 0 ? living : undefined;
}

/** One caller exhausts its limit. `seen`: observations in words; `isCounted`: a count can be read, and so its lag measured. */
async function controlLimit(toolkit: Parts, fixture: string, signal: AbortSignal) {
  const { podClients: clients, callers, limiter, now, ownLimit, redis } = toolkit;
  const rules = rulesOf(limiter);
  const full = admittedAtOnce(rules);
  const windowMs = parseDuration(limiter.limit.window);
  const countable =
    rules.some(({ algorithm }) => algorithm === 'FixedWindow' || algorithm === 'SlidingWindow') &&
    windowMs >= COUNTABLE_WINDOW_MS;
  const isCounted = countable && limiter.redis.count !== undefined;
  // A count that can be read shows that the limiter uses this Redis.
  const store = isCounted ? undefined : storeControlOf(redis, PART);
  await ownLimit?.untilReplenished(signal);
  await store?.rest(signal);
  await untilItFits(rules, CONTROL_MS, now, signal);
  const options = {
    clients: store?.around(clients) ?? clients,
    callers,
    // Enough, within a bound, for all pods to reject, even if each counts separately.
    most: Math.max(2 * full, Math.min(clients.length * full, MOST_ALONE)) + MOST_OVER,
    callerTimeoutMs: timeoutOf(limiter),
    windowMs,
    ...(limiter.isBundled && { syncAt: full }),
  };
  const exhaust = async (key: string): Promise<Exhausted> =>
    await exhaustLimit({ ...options, key }, signal).finally(() => ownLimit?.used());
  const problemOf = (one: Exhausted): Error | undefined =>
    controlProblem(toolkit, full, one, 'rateLimiter.health.timeout');
  let key = `${fixture}-denying`;
  let exhausted = await exhaust(key);
  // First, since health checks may be why a limit is used up too soon.
  if (ownLimit && exhausted.exhausted) await requireFreeHealth(toolkit, signal);
  // A window of this caller may have ended, which another caller shows.
  if (!ownLimit && problemOf(exhausted) && mostOf(rules, ANY_SPAN) > full) {
    key = `${fixture}-denying-again`;
    exhausted = await exhaust(key);
  }
  const problem = problemOf(exhausted);
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
  if (isCounted) {
    const stored = await settledCount(toolkit, key, Object.fromEntries(byPod), sent, signal);
    seen.push(`Redis counted ${stored} of ${sent} for it`);
  }
  const keys = await controlKeys(
    toolkit,
    {
      key,
      begunAt: requests[0]?.sentAt ?? 0,
      exhaust,
      again: async () => await exhaustLimit({ ...options, key, clients, most: 1 }, signal),
    },
    signal,
  );
  return { denying: { limit: full, sent, admitted }, seen, keys, storeDoubt: inStore?.doubt, isCounted };
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
