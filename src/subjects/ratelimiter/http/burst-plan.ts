/** What a burst is made of, and what comes of it. */
import type { HttpAnswer } from './answer.ts';
import type { ConnectionShare } from './connection-budget.ts';
import type { Address, Dial } from './dial.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest } from './request.ts';

/** Where a request goes. */
export interface BurstNode extends Address {
  readonly name: string;
}

export interface PlannedRequest {
  readonly node: BurstNode;
  /** The same object for many requests is encoded once for each node. */
  readonly request: HttpRequest;
}

export interface BurstPlan<T> {
  /** In the order in which they are written: see `spread`. */
  readonly requests: readonly PlannedRequest[];
  /**
   * Has no effect: each pod gets it a few times right before the burst, over connections of their own, so that the first
   * request finds it awake. The answers are ignored. Without it a pod that is quicker than the sender falls asleep
   * between two requests, and each has to wake it.
   */
  readonly wakeUp?: HttpRequest;
  /** What is kept of an answer. What it throws makes the answer a bad one, and is told. */
  readonly read: (answer: HttpAnswer) => T;
  /** How long opening a connection, and one request, may take; milliseconds. */
  readonly timeoutMs: number;
  /** Connections are taken of it, and given back in the end; answers that come in parts take of it, too. */
  readonly budget: ConnectionShare;
  /**
   * Milliseconds since the epoch: until then it is waited for connections, and they are opened, in all. Default: for
   * `timeoutMs` it is waited, and for each that is opened.
   */
  readonly until?: number;
  /** When to write, in milliseconds since the epoch; as soon as possible when left out or past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Called right before the first request is written; nothing is when it throws. */
  readonly onStart?: () => void;
  /** Default: plain TCP. */
  readonly dial?: Dial;
  /** What each connection takes of the budget. Default: 1. */
  readonly cost?: number;
}

/**
 * The result of one request. Moments in milliseconds since the epoch, by a monotonic clock from the start of the
 * burst on. Of a request that was not sent, `sentAt` is when it would have been. An answer is noticed after all
 * requests were written, at the earliest.
 */
export type Outcome<T> = { readonly node: string; readonly sentAt: number; readonly endedAt: number } & (
  | { readonly status: number; readonly answer: T; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined }
);

export interface Burst<T> {
  /** One for each request, in their order. */
  readonly outcomes: readonly Outcome<T>[];
  /** When the first request was written, and when the last outcome was there. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From before the first request was written until the kernel had the last; milliseconds. */
  readonly sendSpanMs: number;
}

/** Nothing of the burst was sent. */
export class BurstNotSentError extends Error {
  override readonly name = 'BurstNotSentError';
}

/** `count` requests in turn for each node, so that no node gets two more than another. */
export function spread(
  nodes: readonly BurstNode[],
  count: number,
  requestFor: (index: number) => HttpRequest,
): PlannedRequest[] {
  if (nodes.length === 0) throw new BurstNotSentError('there is no node to send a burst to');
  return Array.from({ length: count }, (_, i) => ({
    node: nodes[i % nodes.length] as BurstNode,
    request: requestFor(i),
  }));
}
