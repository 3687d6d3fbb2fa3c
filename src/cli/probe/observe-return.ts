/** Observes when a limit is returned to its callers, which shows the window and the algorithm. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DEFAULT_SECONDS,
  expectedSeconds,
  nearest,
  type Returned,
  reportedSeconds,
  type Shown,
} from './limit-facts.ts';
import type { CountedRequest } from './manifest.ts';
import type { ProbeOptions } from './options.ts';
import type { Quota } from './quota.ts';
import type { Answer } from './request.ts';
import { canSpread, type Spread, spread } from './spread.ts';

/** What the requests of one caller showed. */
export interface Exhausted {
  readonly admitted: number;
  /** Of its answers. */
  readonly quota: Quota;
  /** When the first one arrived; milliseconds since the epoch. */
  readonly firstAt: number;
}

/** The API, and what may be sent to it. */
export interface Observed {
  readonly options: ProbeOptions;
  readonly send: (request: CountedRequest) => Promise<Answer>;
  /** A request of a new caller, unless all callers have one limit. */
  readonly newCaller?: () => CountedRequest;
  /** Called before a wait of a window. Without it, there is none. */
  readonly onWait: ((seconds: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** How long a rejected caller is watched at most, and with patience; milliseconds. */
const MOST_WATCH_MS = 10_000;
const PATIENT_WATCH_MS = 65_000;
const POLL_MS = 200;
/** Requests while it is watched. */
const MOST_POLLS = 50;
const REJECTED = 429;

/** What the rejected caller gets back, and a new one that uses its limit in two parts. Nothing if it is given. */
export async function observeReturn(
  observed: Observed,
  rejected: CountedRequest,
  exhausted: Exhausted,
): Promise<Pick<Shown, 'returned' | 'spread'>> {
  const { options, signal } = observed;
  if (options.algorithm !== undefined || options.windowStart !== undefined) return {};
  const requests = options.limit ?? exhausted.admitted;
  const reported = reportedSeconds(options, exhausted.quota);
  const seconds = reported ?? DEFAULT_SECONDS;
  const stop = new AbortController();
  try {
    const spreading = startSpread(observed, requests, seconds, AbortSignal.any([signal, stop.signal]));
    const isPatient = spreading !== undefined;
    const watch = { isPatient, isWhole: isPatient && reported === undefined };
    const returned = await watchReturn(observed, rejected, exhausted, watch);
    const measured = returned?.what === 'several requests' ? nearest(returned.afterSeconds) : seconds;
    if (returned?.what === 'one request' || measured !== seconds) stop.abort();
    const first = await spreading;
    const used =
      first ?? (measured === seconds ? undefined : await startSpread(observed, requests, measured, signal));
    signal.throwIfAborted();
    return { ...(returned && { returned }), ...(used && { spread: used }) };
  } finally {
    stop.abort();
  }
}

/** Undefined if that cannot show anything, or is not worth a wait. */
function startSpread(
  { newCaller, onWait, send }: Observed,
  requests: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Spread | undefined> | undefined {
  if (!onWait || !newCaller || !canSpread(requests, seconds)) return undefined;
  onWait(seconds);
  const request = newCaller();
  const clock = {
    now: Date.now,
    sleep: async (ms: number): Promise<void> => await sleep(ms, undefined, { signal }),
  };
  const isAdmitted = async (): Promise<boolean> => {
    const { status } = await send(request);
    return status >= 200 && status < 300;
  };
  return spread(isAdmitted, requests, seconds, clock).catch(() => undefined);
}

/**
 * Watches a rejected caller for as long as a token bucket takes to return one request, or for a whole window, unless
 * that takes too long: a bucket returns one, a window all of them.
 */
async function watchReturn(
  { options, send, signal }: Observed,
  request: CountedRequest,
  { admitted, firstAt, quota }: Exhausted,
  { isPatient, isWhole }: { readonly isPatient: boolean; readonly isWhole: boolean },
): Promise<Returned | undefined> {
  const share = isWhole ? 1 : 1.25 / Math.max(1, admitted);
  const waitMs = 1000 * share * expectedSeconds(options, quota) + (isWhole ? 10 : 1) * POLL_MS;
  if (waitMs > (isPatient ? PATIENT_WATCH_MS : MOST_WATCH_MS)) return undefined;
  const pollMs = Math.max(POLL_MS, waitMs / MOST_POLLS);
  while (Date.now() - firstAt < waitMs) {
    await sleep(pollMs, undefined, { signal });
    const { at, status } = await send(request);
    if (status === REJECTED) continue;
    const next = await send(request);
    const afterSeconds = (at - firstAt) / 1000;
    if (next.status === REJECTED) return { what: 'one request', afterSeconds };
    const isEarly = afterSeconds < DEFAULT_SECONDS - 2;
    const isByClock = isEarly && at % (1000 * DEFAULT_SECONDS) < pollMs + POLL_MS;
    return { what: isByClock ? 'a new minute' : 'several requests', afterSeconds };
  }
  return { what: 'nothing', afterSeconds: (Date.now() - firstAt) / 1000 };
}
