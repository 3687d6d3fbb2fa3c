/**
 * Exhausts the limit of one caller at a steady rate: a correct limiter admits up to the limit, and rejects after that.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { truncate } from '../../../api/index.ts';
import type { CallerRequest } from '../../history/events.ts';
import { requestIn } from '../../http/caller-request.ts';
import type { PodClient } from '../../http/pod-client.ts';
import type { HttpCallers } from './http/http-callers.ts';

/** Requests over the limit that are admitted before the attempt stops. */
export const MOST_OVER = 50;

/** At most between two requests, so that counts which are synchronised at intervals keep up; milliseconds. */
const APART_MS = 20;
/** About how long it may take to exhaust a large limit; milliseconds. */
const WITHIN_MS = 10_000;
/** At most this part of a window: requests that are replenished during it have to be used up, too. */
const PART_OF_WINDOW = 1 / 2;
/** Characters of a request in a message. */
const MOST_NAME = 120;
/** How long pods that share their counts at intervals have to do so; the bundled limiter does ten times a second. */
const SYNC_MS = 500;
/** Admissions over the limit, with such a wait after each. */
const MOST_SYNCS = 10;
const REJECTIONS = 2;

export interface ExhaustOptions {
  readonly clients: readonly Pick<PodClient, 'pod' | 'send'>[];
  readonly callers: Pick<HttpCallers, 'read' | 'requestOf'>;
  readonly key: string;
  /** At most this many requests are sent. */
  readonly most: number;
  readonly callerTimeoutMs: number;
  /** Length of the caller's window; milliseconds. */
  readonly windowMs: number;
  /**
   * Admissions after which the limit is used up: the pods then have time to learn of each other's counts, and again
   * after each further admission. Left out: they have none.
   */
  readonly syncAt?: number | undefined;
  /** In a row by every pod, after which the limit counts as exhausted; default: 2. */
  readonly rejections?: number;
}

export type Exhausted = Awaited<ReturnType<typeof exhaustLimit>>;

/**
 * Sends requests to the pods in turn, one after the other, until all pods reject, one fails, or `most` were sent.
 * @throws the reason of `signal`; an Error if the operator had no memory for an answer: the used part of the limit is
 * unknown then
 */
export async function exhaustLimit(options: ExhaustOptions, signal: AbortSignal) {
  const { callers, callerTimeoutMs, clients, key, most, windowMs } = options;
  const { rejections = REJECTIONS, syncAt = Number.POSITIVE_INFINITY } = options;
  const requests: CallerRequest[] = [];
  const allMs = Math.min(WITHIN_MS, windowMs * PART_OF_WINDOW);
  const apartMs = Math.min(APART_MS, allMs / Math.max(1, most));
  let [admitted, rejected, syncedAt] = [0, 0, -1];
  for (let i = 0; i < most && rejected < rejections * clients.length; i += 1) {
    const client = clients[i % clients.length];
    if (!client || admitted > syncAt + MOST_SYNCS) break;
    if (admitted >= syncAt && syncedAt !== admitted) {
      await pauseFor(SYNC_MS, signal);
      syncedAt = admitted;
    }
    const sent = callers.requestOf(key);
    const result = await client.send(sent, callerTimeoutMs, signal);
    signal.throwIfAborted();
    if (result.failure?.code === 'NO_ROOM') throw new Error(`${client.pod.name}: ${result.failure.message}`);
    const of = { pod: client.pod.name, caller: 'Drawn', key } as const;
    const { problem, request } = requestIn(result, callers, of) ?? {};
    if (!request) continue;
    requests.push(request);
    if (problem !== undefined) {
      const name = truncate(`${sent.method} ${sent.path}`, MOST_NAME);
      // Neither admitted nor rejected.
      return { requests, exhausted: false, failure: { request, name, problem } };
    }
    rejected = request.outcome === 'Rejected' ? rejected + 1 : 0;
    if (request.outcome === 'Admitted') admitted += 1;
    await pauseFor(apartMs, signal);
  }
  // Whether every pod rejects the caller.
  const exhausted = clients.length > 0 && rejected >= rejections * clients.length;
  return { requests, exhausted, failure: undefined };
}
