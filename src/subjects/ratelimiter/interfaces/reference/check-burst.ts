/** A burst of `POST /check` for one key, over all nodes at once, and what they answered. */
import { truncate } from '../../../../api/index.ts';
import { sendBurst } from '../../http/burst.ts';
import { type Burst, type BurstNode, BurstNotSentError, spread, type WarmUp } from '../../http/burst-plan.ts';
import type { FailureCode } from '../../http/connection.ts';
import type { ConnectionBudget } from '../../http/connection-budget.ts';
import type { HttpRequest } from '../../http/request.ts';
import { type CheckAnswer, parseJson, readCheck, reasonOf } from './check-answer.ts';

export { BurstNotSentError };

export interface BurstOptions {
  readonly nodes: readonly BurstNode[];
  readonly key: string;
  /** The window that the requests must fall into. */
  readonly windowId: string;
  /** Spread evenly over the nodes. */
  readonly requests: number;
  /** How long one request may take; milliseconds. */
  readonly timeoutMs: number;
  /** Holds one connection for each request while the burst lasts. */
  readonly budget: ConnectionBudget;
  /** When to fire, in milliseconds since the epoch; as soon as possible when left out or past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Called once the connections are warm, right before the requests are written; none is when it throws. */
  readonly onStart?: () => void;
}

export interface BurstResult {
  readonly requests: number;
  /** Answers that said yes, in the key's window. */
  readonly allowed: number;
  readonly denied: number;
  /** Requests answered with an error, not sent, or answered for another window. */
  readonly errors: number;
  /** Requests without an answer in time: may have been admitted or not. */
  readonly unanswered: number;
  /** Answers for another window; part of `errors`. */
  readonly otherWindow: number;
  /** What the first error or unanswered request said. */
  readonly firstError?: string;
  /** When the first request was written, and when the last answer was there. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From writing the first request to writing the last, at most; milliseconds. */
  readonly sendSpanMs: number;
  readonly sent: ReadonlyMap<string, number>;
  readonly allowedBy: ReadonlyMap<string, number>;
  /** When each allowed answer arrived, in order. */
  readonly allowedAt: readonly number[];
}

/**
 * Sends the burst and waits for every answer or its timeout.
 *
 * @throws BurstNotSentError when a connection could not be had: no request of
 *   the burst was sent then; what `onStart` throws; the reason of `signal` once it is aborted
 * @example
 * const burst = { nodes, key, windowId, requests: 20, timeoutMs: 5000, budget };
 * const { allowed, denied } = await injectBurstTraffic(burst, signal);
 */
export async function injectBurstTraffic(options: BurstOptions, signal: AbortSignal): Promise<BurstResult> {
  const { nodes, key, requests, windowId, ...rest } = options;
  const request: HttpRequest = {
    method: 'POST',
    path: '/check',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  };
  const plan = {
    ...rest,
    requests: spread(nodes, requests, () => request),
    warmUp: askLimit(key),
    read: readCheck,
  };
  return resultOf(await sendBurst(plan, signal), windowId);
}

/** Asks for the limit of the key, which changes nothing; a node may not know the key (yet). */
function askLimit(key: string): WarmUp {
  return {
    request: { method: 'GET', path: `/limit?key=${encodeURIComponent(key)}` },
    problem: ({ status, body }) =>
      status === 200 || status === 404
        ? undefined
        : `GET /limit answered ${status}: ${reasonOf(parseJson(body))}`,
  };
}

/** Requests after which nobody knows whether the node admitted them. */
const OPEN: ReadonlySet<FailureCode> = new Set(['RESET', 'TIMEOUT']);

/** What the answers say about the window that the burst was meant for. Pure. */
export function resultOf(
  { outcomes, startedAt, endedAt, sendSpanMs }: Burst<CheckAnswer>,
  windowId: string,
): BurstResult {
  const counts = { allowed: 0, denied: 0, errors: 0, unanswered: 0, otherWindow: 0 };
  const sent = new Map<string, number>();
  const allowedBy = new Map<string, number>();
  const allowedAt: number[] = [];
  let first: { readonly at: number; readonly error: string } | undefined;
  const failed = (at: number, error: string): void => {
    if (!first || at < first.at) first = { at, error };
  };
  for (const { node, endedAt, answer, failure } of outcomes) {
    sent.set(node, (sent.get(node) ?? 0) + 1);
    if (failure) {
      counts[OPEN.has(failure.code) ? 'unanswered' : 'errors'] += 1;
      failed(endedAt, `${node}: POST /check: ${failure.message}`);
    } else if (answer.windowId !== windowId) {
      counts.errors += 1;
      counts.otherWindow += 1;
      failed(endedAt, `${node} answered for window ${answer.windowId}`);
    } else if (answer.allowed) {
      counts.allowed += 1;
      allowedAt.push(endedAt);
      allowedBy.set(node, (allowedBy.get(node) ?? 0) + 1);
    } else {
      counts.denied += 1;
    }
  }
  return {
    requests: outcomes.length,
    ...counts,
    ...(first && { firstError: truncate(first.error, 200) }),
    startedAt,
    endedAt,
    sendSpanMs,
    sent,
    allowedBy,
    allowedAt: allowedAt.sort((a, b) => a - b),
  };
}
