/** A node behind HTTP as steady traffic asks it. */
import type { NodeClient } from '../../http/node-client.ts';
import { gotOf } from '../caller-request.ts';
import type { Callers } from '../callers.ts';
import type { TrafficNode, TrafficOutcome } from '../steady-traffic.ts';

/** From here on the server says that it failed: nobody was let through. */
const SERVER_FAILED = 500;

/** @param keyOf the caller whose turn it is */
export function askingNode(
  client: NodeClient,
  callers: Callers,
  keyOf: () => string,
  timeoutMs: number,
): TrafficNode {
  return {
    name: client.node.name,
    async check(lifetime): Promise<TrafficOutcome | undefined> {
      const asked = await client.ask(callers.requestOf(keyOf()), timeoutMs, lifetime);
      if (lifetime.aborted) return undefined;
      // It left, and nobody knows what it got.
      if (asked.failure?.code === 'NO_ROOM') return 'Unanswered';
      const said = gotOf(asked, callers);
      if (!said) return 'Unsent';
      if (said.got === 'Admitted') return 'Allowed';
      if (said.got === 'Denied') return 'Denied';
      // An answer that the spec does not know may have let its caller through all the same.
      if (asked.answer) return asked.answer.status >= SERVER_FAILED ? 'Refused' : 'Improper';
      return asked.failure?.code === 'UNREACHABLE' ? 'Unreachable' : 'Unanswered';
    },
  };
}
