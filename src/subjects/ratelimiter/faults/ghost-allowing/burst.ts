/**
 * A burst: many requests, over all nodes, at once. Each request has a connection
 * of its own that was used before, so that all can be written in one go.
 */
import { truncate } from '../../../../api/index.ts';
import { LimiterClient, LimiterClientError } from '../../interfaces/reference/limiter-client.ts';
import type { NodeTarget } from '../../target.ts';
import { messageOf, pauseFor } from '../../waiting.ts';

/** Connections that are opened at the same time while warming up. */
const WARM_AT_ONCE = 200;

export interface BurstOptions {
  readonly nodes: readonly NodeTarget[];
  readonly key: string;
  /** The window that the requests must fall into. */
  readonly windowId: string;
  /** Spread evenly over the nodes. */
  readonly requests: number;
  /** How long one request may take; milliseconds. */
  readonly timeoutMs: number;
  /** When to fire, in milliseconds since the epoch; as soon as possible when left out or past. */
  readonly at?: number;
  /** Milliseconds since the epoch; the fraction counts. Default: the system's clock. */
  readonly now?: () => number;
  /** Called once the connections are warm, at the moment the requests are written. */
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

/** The connections could not be made, so nothing was sent. */
export class BurstNotSentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BurstNotSentError';
  }
}

/**
 * Sends the burst and waits for every answer or its timeout.
 *
 * @throws BurstNotSentError when a connection could not be made: no request of
 *   the burst was sent then
 * @example
 * const { allowed, denied } = await injectBurstTraffic({ nodes, key, windowId, requests: 20, timeoutMs: 5000 }, signal);
 */
export async function injectBurstTraffic(options: BurstOptions, signal: AbortSignal): Promise<BurstResult> {
  const { nodes, key, requests, timeoutMs, at = 0, now = Date.now } = options;
  if (nodes.length === 0) throw new BurstNotSentError('there is no node to send a burst to');
  const clients = Array.from({ length: requests }, (_, i) => {
    const node = nodes[i % nodes.length] as NodeTarget;
    return new LimiterClient(node, timeoutMs, 1);
  });
  try {
    await warmUp(clients, key, signal);
    await pauseFor(at - now(), signal);
    options.onStart?.();
    return await fire(clients, options, signal);
  } finally {
    await Promise.all(clients.map(async (client) => await client.close()));
  }
}

/** Every connection answers one harmless request, so that it is open and both ends have used it. */
async function warmUp(clients: readonly LimiterClient[], key: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; i < clients.length; i += WARM_AT_ONCE) {
    try {
      await Promise.all(
        clients.slice(i, i + WARM_AT_ONCE).map(async (client) => await client.limit(key, signal)),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw new BurstNotSentError(
        `the burst was not sent: connection ${i + 1} or one of the next of ${clients.length} did not work: ${messageOf(error)}`,
      );
    }
  }
}

async function fire(
  clients: readonly LimiterClient[],
  { key, windowId, requests, now = Date.now }: BurstOptions,
  signal: AbortSignal,
): Promise<BurstResult> {
  const counts = { allowed: 0, denied: 0, errors: 0, unanswered: 0, otherWindow: 0 };
  let firstError: string | undefined;
  const sent = new Map<string, number>();
  const allowedBy = new Map<string, number>();
  const allowedAt: number[] = [];

  const one = async (client: LimiterClient): Promise<void> => {
    try {
      const answer = await client.check(key, signal);
      if (answer.windowId !== windowId) {
        counts.errors += 1;
        counts.otherWindow += 1;
        firstError ??= `${client.name} answered for window ${answer.windowId}`;
      } else if (answer.allowed) {
        counts.allowed += 1;
        allowedAt.push(now());
        allowedBy.set(client.name, (allowedBy.get(client.name) ?? 0) + 1);
      } else {
        counts.denied += 1;
      }
    } catch (error) {
      signal.throwIfAborted();
      const unanswered = error instanceof LimiterClientError && error.failure === 'UNANSWERED';
      counts[unanswered ? 'unanswered' : 'errors'] += 1;
      firstError ??= messageOf(error);
    }
  };

  const startedAt = now();
  const sendingFrom = performance.now();
  const answers = clients.map((client) => {
    sent.set(client.name, (sent.get(client.name) ?? 0) + 1);
    return one(client);
  });
  // Looked at below; one that fails before that, since `signal` was aborted, would end the process.
  const all = Promise.all(answers);
  all.catch(() => undefined);
  // Written at the latest when the event loop turns, so this is never too small.
  await new Promise((resolve) => setImmediate(resolve));
  const sendSpanMs = performance.now() - sendingFrom;
  await all;
  return {
    requests,
    ...counts,
    ...(firstError === undefined ? {} : { firstError: truncate(firstError, 200) }),
    startedAt,
    endedAt: now(),
    sendSpanMs,
    sent,
    allowedBy,
    allowedAt,
  };
}
