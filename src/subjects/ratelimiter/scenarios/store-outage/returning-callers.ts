/** Callers that have exhausted their limits: each sends a request once its limit must have returned. */

import { pauseFor } from '../../../waiting.ts';
import type { PodClient } from '../../http/pod-client.ts';
import { requestIn } from '../../interfaces/caller-request.ts';
import type { Callers } from '../../interfaces/callers.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import type { RecordRequest } from '../../workloads/traffic.ts';

/**
 * When a caller that is still rejected tries again, in windows after the first try: a counter that weighs the last
 * window by its share may reject a first request by chance.
 */
const TRIES: readonly number[] = [0, 0.05, 0.1, 0.25];

/** The longest that {@link sendWhenReturned} takes; milliseconds. */
export function mostReturnMs({ windowMs }: RateLimit, withinMs: number, callerTimeoutMs: number): number {
  return withinMs + TRIES.reduce((sum, part) => sum + part * windowMs + callerTimeoutMs, 0);
}

export interface ReturningCallers {
  readonly clients: readonly Pick<PodClient, 'pod' | 'send'>[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  readonly callerTimeoutMs: number;
  /** Callers that have exhausted their limits. */
  readonly keys: readonly string[];
  readonly limit: RateLimit;
  /** As `returnsWithin`. */
  readonly withinMs: number;
}

/**
 * Waits until the limit of each of these callers must have returned, and sends one request of each; those that are not
 * admitted try again a few times.
 * @throws the reason of `signal`
 */
export async function sendWhenReturned(
  { callers, callerTimeoutMs, clients, keys, limit, withinMs }: ReturningCallers,
  record: RecordRequest,
  signal: AbortSignal,
): Promise<void> {
  let left = keys.map((key, i) => ({ key, i }));
  for (const [attempt, part] of TRIES.entries()) {
    await pauseFor(attempt === 0 ? withinMs : part * limit.windowMs, signal);
    const admitted = await Promise.all(
      left.map(async ({ key, i }) => {
        const client = clients[(i + attempt) % clients.length];
        const result = await client?.send(callers.requestOf(key), callerTimeoutMs, signal);
        if (!client || !result) return false;
        const of = { pod: client.pod.name, caller: 'Returning', key } as const;
        const request = requestIn(result, callers, of)?.request;
        if (request) record(request);
        return request?.outcome === 'Admitted';
      }),
    );
    signal.throwIfAborted();
    left = left.filter((_, n) => !admitted[n]);
    if (left.length === 0) return;
  }
}
