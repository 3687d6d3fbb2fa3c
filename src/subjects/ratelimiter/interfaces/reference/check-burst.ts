/** A burst of `POST /check` for one key, over all nodes at once, and what they answered. */
import { sendBurst } from '../../http/burst.ts';
import { type Burst, type BurstNode, BurstNotSentError, spread, type WarmUp } from '../../http/burst-plan.ts';
import type { ConnectionShare } from '../../http/connection-budget.ts';
import { parseJson } from '../../http/json-body.ts';
import type { HttpRequest } from '../../http/request.ts';
import { type BurstResult, burstResultOf } from '../burst-result.ts';
import { type CheckAnswer, readCheck, reasonOf } from './check-answer.ts';

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
  /** Holds one connection for each request while the burst lasts, and up to 48 more. */
  readonly budget: ConnectionShare;
  /** When to fire, in milliseconds since the epoch; as soon as possible when left out or past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Until when connections are waited for and opened, in milliseconds since the epoch; see `BurstPlan.until`. */
  readonly until?: number;
  /** Called once the connections are warm, right before the requests are written; none is when it throws. */
  readonly onStart?: () => void;
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
  const warmUp = askLimit(key);
  const plan = {
    ...rest,
    requests: spread(nodes, requests, () => request),
    warmUp,
    wakeUp: warmUp.request,
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

/** What the answers say about the window that the burst was meant for. Pure. */
export function resultOf(burst: Burst<CheckAnswer>, windowId: string): BurstResult {
  const says = ({ allowed, windowId: other }: CheckAnswer) =>
    other === windowId ? (allowed ? 'Admitted' : 'Denied') : { otherWindow: other };
  return burstResultOf(burst, says, 'POST /check');
}
