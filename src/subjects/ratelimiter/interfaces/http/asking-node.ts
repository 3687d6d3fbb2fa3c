/** A node behind HTTP as steady traffic asks it. */
import type { Asked, NodeClient } from '../../http/node-client.ts';
import { gotOf } from '../caller-request.ts';
import type { Callers } from '../callers.ts';
import type { TrafficNode, TrafficOutcome } from '../steady-traffic.ts';

/** From here on the server says that it failed: nobody was let through. */
const SERVER_FAILED = 500;

/** Hears how a request ended, before the traffic does; `outcome` is undefined if `lifetime` ended it. */
export type Heard = (asked: Asked, outcome: TrafficOutcome | undefined) => void;

/**
 * @param keyOf the caller whose turn it is
 * @param asking called right before a request of this caller is sent
 */
export function askingNode(
  client: NodeClient,
  callers: Callers,
  keyOf: () => string,
  timeoutMs: number,
  asking?: (key: string) => Heard,
): TrafficNode {
  const outcomeOf = (asked: Asked): TrafficOutcome => {
    // It left, and nobody knows what it got.
    if (asked.failure?.code === 'NO_ROOM') return 'Unanswered';
    const said = gotOf(asked, callers);
    if (!said) return 'Unsent';
    if (said.got === 'Admitted') return 'Allowed';
    if (said.got === 'Denied') return 'Denied';
    // An answer that the spec does not know may have let its caller through all the same.
    if (asked.answer) return asked.answer.status >= SERVER_FAILED ? 'Refused' : 'Improper';
    return asked.failure?.code === 'UNREACHABLE' ? 'Unreachable' : 'Unanswered';
  };
  return {
    name: client.node.name,
    async check(lifetime): Promise<TrafficOutcome | undefined> {
      const key = keyOf();
      const heard = asking?.(key);
      const asked = await client.ask(callers.requestOf(key), timeoutMs, lifetime);
      const outcome = lifetime.aborted ? undefined : outcomeOf(asked);
      heard?.(asked, outcome);
      return outcome;
    },
  };
}
