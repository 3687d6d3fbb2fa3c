/** A burst as events of a history: each request as observed by its sender; and a burst outside of a run. */
import { truncate } from '../../../api/index.ts';
import { type BurstResult, burstResultOf } from '../../checkers/burst-result.ts';
import type { CallerRequest, EventOf } from '../../history/events.ts';
import { type Burst, type BurstPlan, sendBurst, spread } from '../../http/burst.ts';
import type { FailureCode } from '../../http/failure.ts';
import type { PodTarget } from '../../targets/target.ts';
import type { Decision, HttpCallers } from '../interfaces/http/http-callers.ts';

/** Requests that were sent, and had no proper answer. */
const LEFT: Readonly<Partial<Record<FailureCode, Pick<CallerRequest, 'cause' | 'outcome'>>>> = {
  TIMEOUT: { outcome: 'Timeout' },
  NO_ROOM: { outcome: 'Timeout' },
  RESET: { outcome: 'Error', cause: 'Reset' },
  BAD_ANSWER: { outcome: 'Error', cause: 'Answer' },
};

/**
 * @param key of the caller
 * @param judgedAt when the last answer was known; milliseconds since the epoch
 */
export function burstEvents(
  key: string,
  { endedAt, outcomes, sendSpanMs, startedAt }: Burst<Decision>,
  judgedAt: number,
): { readonly requests: readonly CallerRequest[]; readonly burst: EventOf<'burst'> } {
  const requests: CallerRequest[] = [];
  const notSent: Record<string, number> = {};
  let first: { readonly at: number; readonly error: string } | undefined;
  for (const { pod, sentAt, endedAt: at, answer, failure } of outcomes) {
    const left = failure ? LEFT[failure.code] : { outcome: answer };
    if (left) requests.push({ pod, caller: 'Burst', key, sentAt, endedAt: at, ...left });
    else notSent[pod] = (notSent[pod] ?? 0) + 1;
    if (failure && (!first || at < first.at)) {
      first = { at, error: `${pod}: ${failure.message}` };
    }
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

export interface BurstOptions
  extends Pick<BurstPlan<unknown>, 'at' | 'budget' | 'now' | 'onStart' | 'timeoutMs' | 'until' | 'wakeUp'> {
  readonly pods: readonly PodTarget[];
  readonly callers: Pick<HttpCallers, 'read' | 'requestOf'>;
  readonly key: string;
  /** Spread evenly over the pods. */
  readonly requests: number;
}

/**
 * Sends requests of one caller to all pods at once, and waits for every response or its timeout.
 * @throws BurstNotSentError if a connection could not be made: no request of the burst was sent then; what `onStart`
 * throws; the reason of `signal` once it is aborted
 * @example
 * const burst = { pods, callers, key: 'demo-1', requests: 20, timeoutMs: 5000, budget };
 * const { admitted, rejected } = await injectBurstTraffic(burst, signal);
 */
export async function injectBurstTraffic(options: BurstOptions, signal: AbortSignal): Promise<BurstResult> {
  const { callers, key, pods, requests, ...plan } = options;
  const request = callers.requestOf(key);
  const all = spread(pods, requests, () => request);
  const burst = await sendBurst({ ...plan, requests: all, read: (answer) => callers.read(answer) }, signal);
  const seen = burstEvents(key, burst, burst.endedAt);
  return burstResultOf(seen.burst, seen.requests);
}
