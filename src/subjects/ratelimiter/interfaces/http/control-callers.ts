/**
 * The controls before any fault: a caller whose limit is whole is let through as often as that allows, and then denied
 * by every node; and the Redis that the spec names is where that was counted.
 */

import { counted } from '../../../../api/index.ts';
import type { Baseline, Lag } from '../../baseline.ts';
import type { Toolkit } from '../../faults/fault.ts';
import type { CallerRequest, Got } from '../../history/events.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits } from '../../limits/window-turn.ts';
import { sumOf } from '../../words.ts';
import { measureWrites } from '../../write-latency.ts';
import { gotOf } from '../caller-request.ts';
import { MOST_BEYOND, type UsedUp, useUp } from '../use-up.ts';
import { countAtRest, measureLag } from './control-counts.ts';
import { ToldControl, toldLag } from './control-told.ts';
import { limitOf } from './limit-of-spec.ts';
import { limitField, overLimit, WHO_IS_TAKEN } from './over-limit.ts';
import { controlRefill } from './refill-control.ts';
import type { HttpInterfaceSpec } from './schema.ts';
import { StoreControl } from './store-control.ts';

/** How long the control may take, in milliseconds, and so has to fit into a window by the clock. */
const CONTROL_MS = 2000;
/** Requests that a control makes at most to see pods reject that count alone, beyond twice the limit. */
const MOST_ALONE = 1000;
const HTTP_FIELD = 'subject.rateLimiter.interface.http';
/** The likeliest reason why a caller is rejected at its first request. */
const ONE_CALLER = `the rate limiter may take all requests for those of one caller, so put $(key) where it takes the identity of its caller (${HTTP_FIELD}.request), usually a header`;

/** What else may have used up the limit of the operator's address. */
const WHO_ELSE =
  ', or the window, which may be longer; or see who else asks these pods under the address of the operator: what is behind the same proxy or address translation, or another ChaosDemo. All of them share that one limit';

/** What the controls showed. */
export interface CallerControls {
  readonly message: string;
  readonly writeMaxMs: number;
  /** Why it is not shown that the limiter counts in this Redis; undefined: it is. */
  readonly storeDoubt?: string;
  /** Where a fault is held against what is counted. */
  readonly baseline?: Baseline;
}

/**
 * @param key of the control, and beginning of the names of further ones
 * @param rates of steady traffic for which it is needed how far counts are behind, in requests a second
 * @throws Error that says what does not fit together, and what to do; RedisClientError
 */
export async function controlCallers(
  toolkit: Pick<
    Toolkit,
    'askers' | 'callers' | 'limiter' | 'now' | 'ownLimit' | 'redis' | 'room' | 'timeoutMs'
  >,
  { key, rates }: { readonly key: string; readonly rates: readonly number[] },
  signal: AbortSignal,
): Promise<CallerControls> {
  const { askers: clients, callers, limiter, now, ownLimit, redis, timeoutMs } = toolkit;
  const { http } = limiter.interface;
  if (!callers || !http) throw new TypeError('the rate limiter is not behind HTTP');
  const writes = await measureWrites(redis, signal);
  const writeMaxMs = writes.at(-1) ?? 0;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  // Where the spec says what is counted, that shows it.
  const countable = limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow';
  const store = countable && limiter.redis.count ? undefined : new StoreControl(redis);
  const header = countable ? http.remaining?.header : undefined;
  const told = header === undefined ? undefined : new ToldControl(toolkit, header);
  await ownLimit?.untilWhole(signal);
  await store?.rest(signal);
  await untilItFits(limit, CONTROL_MS, now, signal);
  const watched = store?.around(clients) ?? clients;
  const asked = told?.around(watched, callers) ?? watched;
  // So many that pods which count alone are all seen to reject.
  const most = Math.max(2 * full, Math.min(clients.length * full, MOST_ALONE)) + MOST_BEYOND;
  const options = { clients: asked, callers, key, most, callerTimeoutMs: timeoutMs };
  const control = await useUp(options, signal).finally(() => ownLimit?.used());
  // First, for a limit that is used up too soon may come of it.
  if (ownLimit && control.usedUp) await requireFreeHealth(toolkit, signal);
  const problem = controlProblem(limit, http, control, 'subject.rateLimiter.health.timeout');
  if (problem) throw problem;
  const { requests } = control;
  const allowed = new Map(clients.map(({ node: { name } }) => [name, 0]));
  for (const { got, node } of requests) {
    if (got === 'Admitted') allowed.set(node, (allowed.get(node) ?? 0) + 1);
  }
  const admitted = sumOf(allowed.values());
  const sent = requests.length;
  const said = [
    `Baseline: a write to Redis takes at most ${writeMaxMs.toFixed(1)} ms. Without a fault, one caller was let through ${counted(admitted, 'time')} and then denied by every node`,
  ];
  const seen = await store?.conclude(requests, countable, signal);
  if (seen) said.push(seen.message);
  if (told) said.push(told.conclude());
  if (!ownLimit) await requireNewCaller(toolkit, `${key}-new`, signal);
  const refill = { ...options, clients, most: full + MOST_BEYOND };
  const refilled = await controlRefill(limit, requests, refill, signal).finally(() => ownLimit?.used());
  if (!store) {
    const stored = await countAtRest(toolkit, key, { admitted, sent }, signal);
    said.push(`Redis counted ${stored} of ${sent} for it`);
  }
  const found = { writeMaxMs, ...(seen?.doubt !== undefined && { storeDoubt: seen.doubt }) };
  // What Redis holds goes before what answers tell; where nobody tells a count, nothing can lie behind.
  const measured = store ? (header === undefined ? undefined : toldLag(header)) : measureLag;
  if (!measured || rates.length === 0) return { message: [...said, refilled].join('; '), ...found };
  const lags = new Map<number, Lag>();
  for (const rate of new Set(rates)) {
    const traffic = { keyPrefix: `${key}-${rate}`, requestsPerSecond: rate };
    lags.set(rate, await measured(toolkit, traffic, signal));
  }
  const behind = [...lags].map(
    ([rate, { lag, samples }]) =>
      `${counted(lag, 'count')} behind at ${rate} requests a second (${counted(samples, 'sample')})`,
  );
  return {
    message: `${said.join('; ')}, and is at most ${behind.join(', ')}; ${refilled}`,
    ...found,
    baseline: {
      writeP50Ms: writes[Math.floor(writes.length / 2)] ?? 0,
      writeMaxMs,
      lags,
      denying: { limit: full, sent, allowed: admitted, denied: sent - admitted },
    },
  };
}

/**
 * The looks at the health of the pods must not use up the one limit that there is.
 * @throws Error where a pod denies such a look once that limit is used up
 */
async function requireFreeHealth(
  { askers, callers, limiter, timeoutMs }: Pick<Toolkit, 'askers' | 'callers' | 'limiter' | 'timeoutMs'>,
  signal: AbortSignal,
): Promise<void> {
  const { path = '/' } = limiter.interface.http?.health ?? {};
  for (const client of askers) {
    const asked = await client.ask({ method: 'GET', path }, timeoutMs, signal);
    signal.throwIfAborted();
    if (!callers || gotOf(asked, callers)?.got !== 'Denied') continue;
    throw new Error(
      `${client.node.name}: GET ${path} was denied once the limit of the operator's address was used up, so looks at the health use it up, too: set ${HTTP_FIELD}.health.path to one that asks no limiter`,
    );
  }
}

/**
 * A caller that was never seen is admitted although another has used its limit up: the limiter tells them apart.
 * @throws Error if it does not
 */
async function requireNewCaller(
  { askers, callers, timeoutMs }: Pick<Toolkit, 'askers' | 'callers' | 'timeoutMs'>,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const [client] = askers;
  if (!client || !callers) return;
  const asked = await client.ask(callers.requestOf(key), timeoutMs, signal);
  signal.throwIfAborted();
  if (gotOf(asked, callers)?.got !== 'Denied') return;
  throw new Error(
    `without any fault ${client.node.name} rejected the first request of a caller after another had used its limit up: ${ONE_CALLER}`,
  );
}

/**
 * Why a limiter without a fault does not do what the spec says; undefined: it does. Pure.
 * @param timeoutField of the spec, how long an answer was waited for
 * @returns a LimitNotKeptError if the limiter admitted too much, see {@link overLimit}
 */
export function controlProblem(
  limit: RateLimit,
  http: Pick<HttpInterfaceSpec, 'admitted' | 'identity'>,
  { improper, requests, usedUp }: UsedUp,
  timeoutField: string,
): Error | undefined {
  if (improper) {
    const { asked, got, node, problem, unheard } = improper;
    const before = requests.filter((request) => request.got === 'Admitted').length;
    const remedy = remedyOf({ got, unheard, usedUp: before >= admittedAtOnce(limit) }, before, timeoutField);
    return new Error(`without any fault ${node} was asked ${asked}: ${problem}. ${remedy}`);
  }
  const admitted = requests.filter(({ got }) => got === 'Admitted');
  const { bound, excess } = overAdmission(limit, admitted.map(timesOf), {
    firstSentAt: requests[0]?.sentAt ?? 0,
    clockWithinMs: CLOCK_WITHIN_MS,
  });
  const full = admittedAtOnce(limit);
  const { identity } = http;
  if (excess > 0) {
    const options = { limit, bound, identity, admittedStatuses: http.admitted.statuses };
    return overLimit(requests, options);
  }
  if (!usedUp) {
    return new Error(
      `without any fault one caller was admitted ${admitted.length} of ${counted(requests.length, 'time')} and never rejected by every pod in a row, since its limit comes back as fast as Setup sends requests: give the rate limiter a slower refill for the test`,
    );
  }
  if (admitted.length < full) return new Error(tooEarly(admitted.length, limit, identity));
  return undefined;
}

/** Why a new caller was rejected before its limit, the likelier first. */
function tooEarly(admitted: number, limit: RateLimit, identity: HttpInterfaceSpec['identity']): string {
  const figure = `without any fault one caller was rejected after ${counted(admitted, 'request')}, and the limit allows ${admittedAtOnce(limit)}`;
  const correct = `correct ${limitField(limit)}`;
  if (identity === 'SourceAddress') return `${figure}: ${correct}${WHO_ELSE}`;
  return admitted === 0
    ? `${figure}: ${ONE_CALLER}. Otherwise ${correct}`
    : `${figure}: ${correct}, or see ${WHO_IS_TAKEN.Key}`;
}

/** What to do about a request that a limiter in order had let through or denied: neither an error nor no answer is a denial. */
function remedyOf(
  { got, unheard, usedUp }: { readonly got: Got; readonly unheard: boolean; readonly usedUp: boolean },
  before: number,
  timeoutField: string,
): string {
  const used = `One caller had been let through ${counted(before, 'time')} by then, all that its limit allows, and`;
  if (got === 'Unanswered') {
    return `${usedUp ? `${used} no answer is no denial: s` : 'S'}ee in the logs why it waits, or raise ${timeoutField}`;
  }
  if (unheard) return `${usedUp ? `${used} an error is no denial: s` : 'S'}ee in the logs why it failed`;
  if (!usedUp) return `See ${HTTP_FIELD} (request, admitted, denied)`;
  return `${used} an error is no denial: where your rate limiter denies so, name the status in ${HTTP_FIELD}.denied; else see in the logs why it failed`;
}

function timesOf({ endedAt, sentAt }: CallerRequest): { sentAt: number; answeredAt: number } {
  return { sentAt, answeredAt: endedAt };
}
