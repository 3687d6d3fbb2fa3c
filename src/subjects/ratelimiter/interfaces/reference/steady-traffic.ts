/**
 * Steady traffic on one key, over all nodes in turn, at a fixed rate that does
 * not wait for answers (an open loop): a slow rate limiter gets no less of it.
 */

import { pauseFor } from '../../waiting.ts';
import type { Got } from '../caller-request.ts';
import { type LimiterClient, LimiterClientError } from './limiter-client.ts';

const TICK_MS = 10;

/**
 * How far it catches up on what was due while this process stood still; what is
 * older is left out, since sent all at once it would be a burst, not steady.
 */
const CATCH_UP_MS = 200;

/** Requests that may be open at once; beyond it a request is left out rather than piled up. */
const MAX_OPEN = 1000;

export interface TrafficOptions {
  readonly clients: readonly LimiterClient[];
  readonly key: string;
  readonly windowId: string;
  /** Over all nodes together. */
  readonly requestsPerSecond: number;
  /** Ends after so many requests; without it only `stop` does. */
  readonly requests?: number;
}

/** Hears what becomes of each request. */
export interface TrafficListener {
  /** A request is on its way. What is returned takes that back, should it turn out that it never left. */
  sent(node: string): (() => void) | undefined;
  /** Answered for the key's window; a refusal for lack of an answer from Redis (503) is not allowed either. */
  answered(node: string, allowed: boolean): void;
  /** No answer came in time. As after an answer that is none (an error, another window), nobody knows whether it was admitted. */
  unanswered(node: string): void;
  /** Hears of every request that left, however it ended; a 503 and an answer that is none have failed. */
  ended?(node: string, got: Got, tookMs: number): void;
}

/**
 * Sends until `stop` is aborted, then waits for the answers still open (each
 * has its client's timeout). `lifetime` ends it at once.
 */
export async function runSteadyTraffic(
  { clients, key, windowId, requestsPerSecond, requests = Infinity }: TrafficOptions,
  listener: TrafficListener,
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const open = new Set<Promise<void>>();
  const catchUp = Math.max(1, Math.ceil((CATCH_UP_MS / 1000) * requestsPerSecond));
  let turn = 0;
  let leftOut = 0;
  while (!stop.aborted && !lifetime.aborted && turn < requests) {
    const due = Math.floor(((performance.now() - start) / 1000) * requestsPerSecond) + 1 - leftOut;
    leftOut += Math.max(0, due - turn - catchUp);
    const until = Math.min(requests, due, turn + catchUp);
    for (; turn < until; turn += 1) {
      const client = clients[turn % clients.length];
      if (client === undefined || open.size >= MAX_OPEN) continue;
      const takeBack = listener.sent(client.name);
      const request = ask(client, key, windowId, listener, takeBack, lifetime).finally(() =>
        open.delete(request),
      );
      open.add(request);
    }
    await pauseFor(TICK_MS, AbortSignal.any([stop, lifetime])).catch(() => undefined);
  }
  await Promise.all(open);
}

async function ask(
  client: LimiterClient,
  key: string,
  windowId: string,
  listener: TrafficListener,
  takeBack: (() => void) | undefined,
  lifetime: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const ended = (got: Got): void => listener.ended?.(client.name, got, performance.now() - start);
  try {
    const { allowed, windowId: answeredFor } = await client.check(key, lifetime);
    const decided = answeredFor === windowId;
    ended(decided ? (allowed ? 'Admitted' : 'Denied') : 'Failed');
    if (decided) listener.answered(client.name, allowed);
  } catch (error) {
    if (lifetime.aborted || !(error instanceof LimiterClientError)) return;
    if (error.failure !== 'UNREACHABLE') ended(error.failure === 'UNANSWERED' ? 'Unanswered' : 'Failed');
    if (error.status === 503) listener.answered(client.name, false);
    else if (error.failure === 'UNREACHABLE') takeBack?.();
    else if (error.failure === 'UNANSWERED') listener.unanswered(client.name);
  }
}
