/** A burst as events of a history: each request as observed by its sender; and a burst outside of a run. */
import { truncate } from '../../../api/index.ts';
import { type BurstResult, burstResultOf } from '../../checkers/burst-result.ts';
import type { CallerRequest, EventOf } from '../../history/events.ts';
import type { HttpAnswer } from '../../http/answer.ts';
import { type Burst, type BurstPlan, sendBurst } from '../../http/burst.ts';
import { outcomeOf, outcomeOfFailure } from '../../http/caller-request.ts';
import type { HttpCallers } from '../interfaces/http/http-callers.ts';

/** The outcome of a request by its answer. */
type Read = ReturnType<typeof outcomeOf>;

const UNREAD: NonNullable<Read> = { outcome: 'Timeout' };

/**
 * A burst as its sender recorded it.
 * @param key of the caller
 * @param judgedAt when the last answer was known; milliseconds since the epoch
 */
export function burstEvents(
  key: string,
  { endedAt, outcomes, sendSpanMs, startedAt }: Burst<Read>,
  judgedAt: number,
): { readonly requests: readonly CallerRequest[]; readonly burst: EventOf<'burst'> } {
  const requests: CallerRequest[] = [];
  const notSent: Record<string, number> = {};
  let first: { readonly at: number; readonly error: string } | undefined;
  for (const { pod, sentAt, endedAt: at, answer, failure } of outcomes) {
    const problem = failure?.message ?? answer?.problem;
    // If its answer was dropped, it may have been admitted or not.
    const read = failure?.code === 'NO_ROOM' ? UNREAD : failure ? outcomeOfFailure(failure) : answer;
    if (read) {
      const { problem: _, ...outcome } = read;
      requests.push({ pod, caller: 'Burst', key, sentAt, endedAt: at, ...outcome });
    } else notSent[pod] = (notSent[pod] ?? 0) + 1;
    if (problem !== undefined && (!first || at < first.at)) first = { at, error: `${pod}: ${problem}` };
  }
  return {
    requests,
    burst: {
      kind: 'burst',
      key,
      startedAt,
      endedAt,
      sendSpanMs,
      notSent,
      ...(first && { firstError: truncate(first.error, 200) }),
      at: judgedAt,
    },
  };
}

export interface BurstOptions extends Omit<BurstPlan<unknown>, 'count' | 'read' | 'request'> {
  readonly callers: Pick<HttpCallers, 'read' | 'requestOf'>;
  readonly key: string;
  /** Spread evenly over the pods. */
  readonly requests: number;
}

/** Sends requests of one caller to all pods at once. @throws as {@link injectBurstTraffic} */
export async function recordBurst(options: BurstOptions, signal: AbortSignal) {
  const { callers, key, requests: count, ...plan } = options;
  const read = (answer: HttpAnswer): Read => outcomeOf({ answer }, callers);
  const burst = await sendBurst({ ...plan, count, request: callers.requestOf(key), read }, signal);
  return burstEvents(key, burst, (plan.now ?? Date.now)());
}

/**
 * Sends requests of one caller to all pods at once, and waits for every response or its timeout.
 * @throws Error if a connection could not be made: no request of the burst was sent then; what `onStart`
 * throws; the reason of `signal` once it is aborted
 * @example
 * const burst = { pods, callers, key: 'demo-1', requests: 20, timeoutMs: 5000, budget };
 * const { admitted, rejected } = await injectBurstTraffic(burst, signal);
 */
export async function injectBurstTraffic(options: BurstOptions, signal: AbortSignal): Promise<BurstResult> {
  const { burst, requests } = await recordBurst(options, signal);
  return burstResultOf(burst, requests);
}
