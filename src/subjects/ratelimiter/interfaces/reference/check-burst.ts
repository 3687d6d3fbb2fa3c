/** A burst to the bundled limiter outside of a run. */
import { type BurstResult, burstResultOf } from '../../checkers/burst-result.ts';
import { sendBurst } from '../../http/burst.ts';
import { type BurstPlan, type BurstPod, spread } from '../../http/burst-plan.ts';
import { burstEvents } from '../../workloads/burst.ts';
import { ReferenceCallers } from './reference-callers.ts';

export interface BurstOptions
  extends Pick<BurstPlan<unknown>, 'at' | 'budget' | 'now' | 'onStart' | 'timeoutMs' | 'until'> {
  readonly pods: readonly BurstPod[];
  readonly key: string;
  /** The window that the requests must be counted in. */
  readonly windowId: string;
  /** Spread evenly over the pods. */
  readonly requests: number;
}

/**
 * Sends `requests` checks of one key to all pods at once, and waits for every answer or its timeout.
 * @throws BurstNotSentError if a connection could not be made: no request of the burst was sent then; what `onStart`
 * throws; the reason of `signal` once it is aborted
 * @example
 * const burst = { pods, key, windowId, requests: 20, timeoutMs: 5000, budget };
 * const { admitted, rejected } = await injectBurstTraffic(burst, signal);
 */
export async function injectBurstTraffic(options: BurstOptions, signal: AbortSignal): Promise<BurstResult> {
  const { key, pods, requests, windowId, ...plan } = options;
  const callers = new ReferenceCallers((other) => other === windowId);
  const request = callers.requestOf(key);
  const burst = await sendBurst(
    {
      ...plan,
      requests: spread(pods, requests, () => request),
      wakeUp: { method: 'GET', path: `/limit?key=${encodeURIComponent(key)}` },
      read: (answer) => callers.read(answer),
    },
    signal,
  );
  const seen = burstEvents(key, burst, burst.endedAt, `${request.method} ${request.path}`);
  return burstResultOf(seen.burst, seen.requests);
}
