/**
 * Steady traffic on one key, over all nodes in turn, at a fixed rate that does
 * not wait for answers (an open loop): a slow rate limiter gets no less of it.
 */

import type { Got } from '../history/events.ts';
import { pauseFor } from '../waiting.ts';
import type { TrafficRoom } from './traffic-room.ts';

const TICK_MS = 10;

/**
 * How far it catches up on what was due while this process stood still; what is
 * older is left out, since sent all at once it would be a burst, not steady.
 */
const CATCH_UP_MS = 200;

/** Requests that one run may have open at once; beyond it a request is left out rather than piled up. */
const MAX_OPEN = 1000;

/**
 * What became of one request. Refused: turned away since the node failed, for lack of an answer from Redis, say.
 * Unreachable: it never left, since the node took no connection. Unsent: it never left for another reason.
 * Improper: answered with something that says nothing of it.
 */
export type TrafficOutcome =
  | 'Allowed'
  | 'Denied'
  | 'Refused'
  | 'Unreachable'
  | 'Unsent'
  | 'Unanswered'
  | 'Improper';

const GOT = {
  Allowed: 'Admitted',
  Denied: 'Denied',
  Refused: 'Failed',
  Improper: 'Failed',
  Unanswered: 'Unanswered',
} as const satisfies Record<Exclude<TrafficOutcome, 'Unreachable' | 'Unsent'>, Got>;

/** A node as the traffic asks it. */
export interface TrafficNode {
  readonly name: string;
  /** One request on the key; undefined where `lifetime` ended it. */
  check(lifetime: AbortSignal): Promise<TrafficOutcome | undefined>;
}

export interface TrafficOptions {
  readonly nodes: readonly TrafficNode[];
  /** Over all nodes together. */
  readonly requestsPerSecond: number;
  /** Ends after so many requests; without it only `stop` does. */
  readonly requests?: number;
  readonly room: TrafficRoom;
}

/** Hears what becomes of each request. */
export interface TrafficListener {
  /**
   * A request is on its way. What is returned takes that back, should it turn out that it never left, and hears
   * whether that was since the node could not be reached.
   */
  sent(node: string): ((unreachable: boolean) => void) | undefined;
  /** Answered, for the key's window; a refusal for lack of an answer from Redis is not allowed either. */
  answered(node: string, allowed: boolean): void;
  /** Hears of it, too, where that was a refusal. */
  refused?(node: string): void;
  /** No answer came in time. As after an answer that is none (an error, another window), nobody knows whether it was admitted. */
  unanswered(node: string): void;
  /** A request was not sent since there was no room for another open one. */
  leftOut?(): void;
  /** Hears of every request that left, however it ended; a 503 and an answer that is none have failed. */
  ended?(node: string, got: Got, tookMs: number): void;
}

/**
 * Sends until `stop` is aborted, then waits for the answers still open (each
 * has its client's timeout). `lifetime` ends it at once.
 * @throws what a node's `check` throws first; nothing more is sent then
 */
export async function runSteadyTraffic(
  { nodes, requestsPerSecond, requests = Infinity, room }: TrafficOptions,
  listener: TrafficListener,
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<void> {
  const start = performance.now();
  const open = new Set<Promise<void>>();
  const failed = new AbortController();
  const either = AbortSignal.any([stop, lifetime, failed.signal]);
  const catchUp = Math.max(1, Math.ceil((CATCH_UP_MS / 1000) * requestsPerSecond));
  let turn = 0;
  let leftOut = 0;
  while (!either.aborted && turn < requests) {
    const due = Math.floor(((performance.now() - start) / 1000) * requestsPerSecond) + 1 - leftOut;
    leftOut += Math.max(0, due - turn - catchUp);
    const until = Math.min(requests, due, turn + catchUp);
    for (; turn < until; turn += 1) {
      const node = nodes[turn % nodes.length];
      if (node === undefined) continue;
      const place = open.size < MAX_OPEN ? room() : undefined;
      if (!place) {
        listener.leftOut?.();
        continue;
      }
      const request = ask(node, listener, lifetime)
        // Nobody waits for it yet, so it must not be rejected.
        .catch((error: unknown) => failed.abort(error))
        .finally(() => {
          place.release();
          open.delete(request);
        });
      open.add(request);
    }
    await pauseFor(TICK_MS, either).catch(() => undefined);
  }
  await Promise.all(open);
  failed.signal.throwIfAborted();
}

async function ask(node: TrafficNode, listener: TrafficListener, lifetime: AbortSignal): Promise<void> {
  const start = performance.now();
  const takeBack = listener.sent(node.name);
  const outcome = await node.check(lifetime);
  if (outcome === undefined) return;
  if (outcome === 'Unsent' || outcome === 'Unreachable') {
    takeBack?.(outcome === 'Unreachable');
    return;
  }
  listener.ended?.(node.name, GOT[outcome], performance.now() - start);
  if (outcome === 'Unanswered') listener.unanswered(node.name);
  else if (outcome !== 'Improper') {
    // First, so that whoever looks at each answer knows what it was.
    if (outcome === 'Refused') listener.refused?.(node.name);
    listener.answered(node.name, outcome === 'Allowed');
  }
}
