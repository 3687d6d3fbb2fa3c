/** A node of the reference interface as steady traffic asks it. */
import type { TrafficNode, TrafficOutcome } from '../steady-traffic.ts';
import type { SampledWindow } from './counter-sample.ts';
import { type LimiterClient, LimiterClientError, type LimiterFailure } from './limiter-client.ts';

const OUTCOME: Readonly<Record<LimiterFailure, TrafficOutcome>> = {
  UNREACHABLE: 'Unreachable',
  UNSENT: 'Unsent',
  UNANSWERED: 'Unanswered',
  BROKEN_OFF: 'Unanswered',
  REFUSED: 'Improper',
  INVALID: 'Improper',
};

/**
 * Sends checks of the key; an answer for another window than this is improper.
 * @param hear what was asked and came back, where that is neither yes nor no
 */
export function checkNode(
  client: LimiterClient,
  { key, windowId }: SampledWindow,
  hear: (problem: string) => void = () => undefined,
): TrafficNode {
  return {
    name: client.name,
    async check(lifetime) {
      try {
        const answer = await client.check(key, lifetime);
        if (answer.windowId !== windowId) {
          hear(`${client.name}: POST /check answered for window ${answer.windowId}`);
          return 'Improper';
        }
        return answer.allowed ? 'Allowed' : 'Denied';
      } catch (error) {
        if (lifetime.aborted || !(error instanceof LimiterClientError)) return undefined;
        hear(error.message);
        // It got no answer from Redis.
        return error.status === 503 ? 'Refused' : OUTCOME[error.failure];
      }
    },
  };
}
