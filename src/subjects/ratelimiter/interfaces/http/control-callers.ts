/**
 * The controls before any fault: a caller whose limit is whole is admitted as often as that allows, and then denied
 * by every node; and the Redis that the spec names is where that was counted.
 */

import { counted } from '../../../../api/index.ts';
import type { Baseline, Lag } from '../../baseline.ts';
import { CONTROL_WINDOW_MS, type ControlKeys, controlKeys } from '../../controls.ts';
import type { CallerRequest, RequestOutcome } from '../../history/events.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';
import { sumOf } from '../../words.ts';
import { measureWrites } from '../../write-latency.ts';
import { gotOf } from '../caller-request.ts';
import { type Exhausted, exhaustLimit, MOST_BEYOND } from '../exhaust-limit.ts';
import { healthPathOf, mappingOf } from '../reference/preset.ts';
import { referenceProblem } from '../reference/reference-problem.ts';
import { countAtRest, measureLag } from './control-counts.ts';
import { QuotaControl, quotaLag } from './control-quota.ts';
import type { LagTraffic } from './lag-traffic.ts';
import { limitOf } from './limit-of-spec.ts';
import { limitField, overLimit, WHO_IS_TAKEN } from './over-limit.ts';
import { controlRefill } from './refill-control.ts';
import type { HttpInterfaceSpec } from './schema.ts';
import { StoreControl } from './store-control.ts';

/** How long the control may take, in milliseconds, and so has to fit into a window by the clock. */
const CONTROL_MS = 2000;
/** In a shorter window a count may be gone before it is read. */
const COUNTABLE_WINDOW_MS = 5000;
/** Requests that a control makes at most to see pods reject that count alone, beyond twice the limit. */
const MOST_ALONE = 1000;
/** The limit that a control sets at most, if the limiter takes limits. */
const MOST_SET = 50;
const HTTP_FIELD = 'rateLimiter.http';
/** The likeliest reason why a caller is rejected at its first request. */
const ONE_CALLER = `the rate limiter may take all requests for those of one caller, so put $(key) where it takes the identity of its caller (${HTTP_FIELD}), usually in a header`;

/** What else may have used up the limit of the operator's address. */
const WHO_ELSE =
  ', or the window, which may be longer; or see who else asks these pods under the address of the operator: what is behind the same proxy or address translation, or another ChaosDemo. All of them share that one limit';

/** What the controls showed. */
export interface CallerControls {
  readonly message: string;
  readonly writeMaxMs: number;
  /** Why it is not shown that the limiter counts in this Redis; undefined: it is. */
  readonly storeDoubt?: string;
  readonly baseline: Baseline;
}

type Parts = Pick<
  Toolkit,
  'podClients' | 'callers' | 'limiter' | 'now' | 'ownLimit' | 'redis' | 'reference' | 'room' | 'timeoutMs'
>;

/**
 * @param key of the control: the names of all its keys begin with it, see {@link controlKeys}
 * @param rates of steady traffic for which it is needed how far counts are behind, in requests a second
 * @throws Error that says what does not fit together, and what to do; RedisClientError
 */
export async function controlCallers(
  toolkit: Parts,
  { key, rates }: { readonly key: string; readonly rates: readonly number[] },
  signal: AbortSignal,
): Promise<CallerControls> {
  const { redis, reference } = toolkit;
  const writes = await measureWrites(redis, signal);
  const keys = controlKeys(key);
  try {
    const control = await controlLimit(toolkit, keys, signal);
    const { allowed, counted: measured, limit, said, sent, storeDoubt } = control;
    const lags = new Map<number, Lag>();
    for (const rate of new Set(rates)) {
      if (!measured) break;
      const keyPrefix = reference ? keys.counting : `${keys.counting}-${rate}`;
      lags.set(rate, await measured(toolkit, { keyPrefix, requestsPerSecond: rate }, signal));
    }
    const behind = [...lags].map(
      ([rate, { lag, samples }]) =>
        `${counted(lag, 'count')} behind at ${rate} requests a second (${counted(samples, 'sample')})`,
    );
    const writeMaxMs = writes.at(-1) ?? 0;
    return {
      message: [
        `Baseline: a write to Redis takes at most ${writeMaxMs.toFixed(1)} ms. Without a fault, ${said.join('; ')}`,
        ...(behind.length > 0 ? [`, and is at most ${behind.join(', ')}`] : []),
        ...(reference ? [] : [`; ${control.refill}`]),
      ].join(''),
      writeMaxMs,
      ...(storeDoubt !== undefined && { storeDoubt }),
      baseline: {
        writeP50Ms: writes[Math.floor(writes.length / 2)] ?? 0,
        writeMaxMs,
        lags,
        denying: { limit, sent, admitted: allowed },
      },
    };
  } finally {
    await reference?.forget([keys.denying, keys.counting].map((one) => ({ key: one })));
  }
}

/** What one caller got that used its limit up, and what was seen of it. */
interface LimitControl {
  /** Requests that its limit allows. */
  readonly limit: number;
  readonly sent: number;
  readonly allowed: number;
  readonly said: readonly string[];
  readonly refill: string;
  readonly storeDoubt?: string;
  /** Measures how far counts are behind; undefined: nobody reports a count. */
  readonly counted: ((parts: Parts, traffic: LagTraffic, signal: AbortSignal) => Promise<Lag>) | undefined;
}

async function controlLimit(
  toolkit: Parts,
  { denying: key, other }: ControlKeys,
  signal: AbortSignal,
): Promise<LimitControl> {
  const { podClients: clients, callers, limiter, now, ownLimit, redis, reference, timeoutMs } = toolkit;
  const http = mappingOf(limiter);
  const limit = limitOf(limiter);
  const full = reference ? Math.min(admittedAtOnce(limit), MOST_SET) : admittedAtOnce(limit);
  // If the spec says what is counted, that shows it.
  const countable =
    (limit.algorithm === 'FixedWindow' || limit.algorithm === 'SlidingWindow') &&
    limit.windowMs >= COUNTABLE_WINDOW_MS;
  const isCounted = reference !== undefined || (countable && limiter.redis.count !== undefined);
  const store = isCounted ? undefined : new StoreControl(redis);
  const header = countable ? http.remainingHeader : undefined;
  const told = header === undefined ? undefined : new QuotaControl(toolkit, header);
  await ownLimit?.untilReplenished(signal);
  await store?.rest(signal);
  await untilItFits(limit, CONTROL_MS, now, signal);
  await reference?.introduce([{ key, allowed: full, windowMs: CONTROL_WINDOW_MS }], signal);
  const watched = store?.around(clients) ?? clients;
  const asked = told?.around(watched, callers) ?? watched;
  // So many that pods which count alone are all seen to reject.
  const most = Math.max(2 * full, Math.min(clients.length * full, MOST_ALONE)) + MOST_BEYOND;
  const rest = reference && { learned: reference.learned.bind(reference), left: full };
  const { windowMs } = limit;
  const options = { clients: asked, callers, key, most, callerTimeoutMs: timeoutMs, windowMs };
  const control = await exhaustLimit({ ...options, ...(rest && { rest }) }, signal).finally(() =>
    ownLimit?.used(),
  );
  // First, for it may be why a limit is used up too soon.
  if (ownLimit && control.exhausted) await requireFreeHealth(toolkit, signal);
  const field = 'rateLimiter.health.timeout';
  const problem = reference
    ? referenceProblem(limit, full, control, field)
    : controlProblem(limit, http, control, field);
  if (problem) throw problem;
  const { requests } = control;
  const allowed = new Map(clients.map(({ node: { name } }) => [name, 0]));
  for (const { outcome, pod: node } of requests) {
    if (outcome === 'Admitted') allowed.set(node, (allowed.get(node) ?? 0) + 1);
  }
  const admitted = sumOf(allowed.values());
  const sent = requests.length;
  const said = [`one caller was admitted ${counted(admitted, 'time')} and then rejected by every pod`];
  const seen = await store?.conclude(requests, countable, signal);
  if (seen) said.push(seen.message);
  if (told) said.push(told.conclude());
  if (!ownLimit && !reference) await requireNewCaller(toolkit, other, signal);
  const refill = { ...options, clients, most: full + MOST_BEYOND };
  const refilled = await controlRefill(limit, requests, refill, signal).finally(() => ownLimit?.used());
  if (isCounted) {
    const stored = await countAtRest(toolkit, key, { allowed, sent }, signal);
    said.push(`Redis counted ${stored} of ${sent} for it`);
  }
  return {
    limit: full,
    sent,
    allowed: admitted,
    said,
    refill: refilled,
    ...(seen?.doubt !== undefined && { storeDoubt: seen.doubt }),
    // What Redis holds goes before what answers report; if nothing reports a count, none can be behind.
    counted: isCounted ? measureLag : header === undefined ? undefined : quotaLag(header),
  };
}

/**
 * The looks at the health of the pods must not use up the one limit that there is.
 * @throws Error where a pod denies such a look once that limit is used up
 */
async function requireFreeHealth(
  { podClients, callers, limiter, timeoutMs }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const path = healthPathOf(limiter);
  for (const client of podClients) {
    const asked = await client.ask({ method: 'GET', path }, timeoutMs, signal);
    signal.throwIfAborted();
    if (gotOf(asked, callers)?.outcome !== 'Rejected') continue;
    throw new Error(
      `${client.node.name}: GET ${path} was rejected once the limit of the operator's address was used up, so looks at the health use it up, too: set rateLimiter.health.path to one that asks no limiter`,
    );
  }
}

/**
 * A caller that was never seen is admitted although another has used its limit up: the limiter tells them apart.
 * @throws Error if it does not
 */
async function requireNewCaller(
  { podClients, callers, timeoutMs }: Parts,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const [client] = podClients;
  if (!client) return;
  const asked = await client.ask(callers.requestOf(key), timeoutMs, signal);
  signal.throwIfAborted();
  if (gotOf(asked, callers)?.outcome !== 'Rejected') return;
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
  http: Pick<HttpInterfaceSpec, 'admittedStatuses' | 'identity'>,
  { improper, requests, exhausted }: Exhausted,
  timeoutField: string,
): Error | undefined {
  if (improper) {
    const { asked, outcome, node, problem, unheard } = improper;
    const before = requests.filter((request) => request.outcome === 'Admitted').length;
    const remedy = remedyOf(
      { outcome, unheard, exhausted: before >= admittedAtOnce(limit) },
      before,
      timeoutField,
    );
    return new Error(`without any fault ${node} was asked ${asked}: ${problem}. ${remedy}`);
  }
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const { bound, excess } = overAdmission(limit, admitted.map(timesOf), {
    firstSentAt: requests[0]?.sentAt ?? 0,
    clockWithinMs: CLOCK_WITHIN_MS,
  });
  const full = admittedAtOnce(limit);
  const { identity } = http;
  if (excess > 0) {
    const options = { limit, bound, identity, admittedStatuses: http.admittedStatuses };
    return overLimit(requests, options);
  }
  if (!exhausted) {
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
  {
    outcome,
    unheard,
    exhausted,
  }: { readonly outcome: RequestOutcome; readonly unheard: boolean; readonly exhausted: boolean },
  before: number,
  timeoutField: string,
): string {
  const used = `One caller had been admitted ${counted(before, 'time')} by then, all that its limit allows, and`;
  if (outcome === 'Timeout') {
    return `${exhausted ? `${used} no answer is not a rejection: s` : 'S'}ee in the logs why it waits, or raise ${timeoutField}`;
  }
  if (unheard)
    return `${exhausted ? `${used} an error is not a rejection: s` : 'S'}ee in the logs why it failed`;
  if (!exhausted) return `See path, admittedStatuses and rejectedStatuses in ${HTTP_FIELD}`;
  return `${used} an error is not a rejection: if your rate limiter rejects in this way, name the status in ${HTTP_FIELD}.rejectedStatuses; else see in the logs why it failed`;
}

function timesOf({ endedAt, sentAt }: CallerRequest): { sentAt: number; answeredAt: number } {
  return { sentAt, answeredAt: endedAt };
}
