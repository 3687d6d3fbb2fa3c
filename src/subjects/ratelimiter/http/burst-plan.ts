/** The requests of a burst, and its result. */
import type { PodTarget } from '../target/target.ts';
import type { HttpAnswer } from './answer.ts';
import type { ConnectionShare } from './connection-budget.ts';
import type { Dial } from './dial.ts';
import type { Failure } from './failure.ts';
import type { HttpRequest } from './request.ts';

export interface PlannedRequest {
  readonly pod: PodTarget;
  /** One object for many requests is encoded once for each pod. */
  readonly request: HttpRequest;
}

export interface BurstPlan<T> {
  /** In the order in which they are written: see `spread`. */
  readonly requests: readonly PlannedRequest[];
  /**
   * A request without effect: each pod gets it a few times before the burst and again right before it, over separate
   * connections, so that the code of both sides is compiled, and the first request finds the pod awake. The answers are
   * ignored. Without it, a pod that is faster than the sender falls asleep between two requests, and each request has to
   * wake it.
   */
  readonly wakeUp?: HttpRequest;
  /** What is kept of an answer. If it throws, the answer counts as bad, and the error message is reported. */
  readonly read: (answer: HttpAnswer) => T;
  /** How long opening a connection, and one request, may take; milliseconds. */
  readonly timeoutMs: number;
  /** Connections are taken from it and given back in the end; so is the memory of answers that arrive in parts. */
  readonly budget: ConnectionShare;
  /**
   * Milliseconds since the epoch: limits the wait for connections and their opening, in total. Default: `timeoutMs` for
   * the wait, and for each connection to open.
   */
  readonly until?: number;
  /** When to write, in milliseconds since the epoch; as soon as possible if left out or in the past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Called right before the first request is written; if it throws, none is. */
  readonly onStart?: () => void;
  /** Default: plain TCP. */
  readonly dial?: Dial;
  /** What each connection takes of the budget. Default: 1. */
  readonly cost?: number;
}

/**
 * The result of one request. Moments in milliseconds since the epoch, by a clock that is monotonic from the start of
 * the burst. If a request was not sent, `sentAt` is when it would have been. Answers are noticed only after all
 * requests were written.
 */
export type Outcome<T> = { readonly pod: string; readonly sentAt: number; readonly endedAt: number } & (
  | { readonly status: number; readonly answer: T; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined }
);

export interface Burst<T> {
  /** One for each request, in their order. */
  readonly outcomes: readonly Outcome<T>[];
  /** When the first request was written, and when the last outcome was known. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From before the first request was written until the kernel had the last; milliseconds. */
  readonly sendSpanMs: number;
}

/** Nothing of the burst was sent. */
export class BurstNotSentError extends Error {
  override readonly name = 'BurstNotSentError';
}

/** `count` requests, to each pod in turn, so that the counts of two pods differ by at most one. */
export function spread(
  pods: readonly PodTarget[],
  count: number,
  requestFor: (index: number) => HttpRequest,
): PlannedRequest[] {
  if (pods.length === 0) throw new BurstNotSentError('there is no pod to send a burst to');
  return Array.from({ length: count }, (_, i) => ({
    pod: pods[i % pods.length] as PodTarget,
    request: requestFor(i),
  }));
}
