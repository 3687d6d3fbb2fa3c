/** A node behind HTTP as steady traffic asks it, where its answers tell what remains. */
import type { NodeClient } from '../../http/node-client.ts';
import type { Callers } from '../callers.ts';
import type { TrafficNode } from '../steady-traffic.ts';
import { askingNode } from './asking-node.ts';
import type { ToldAnswer, ToldCount } from './told-count.ts';

/** The caller whose turn it is, and what is known of its count. */
export interface ToldCaller {
  readonly key: string;
  readonly count: ToldCount;
}

/** @param tell hears each answer that tells, before the traffic hears of it */
export function toldNode(
  client: NodeClient,
  callers: Callers,
  { now, timeoutMs }: { readonly now: () => number; readonly timeoutMs: number },
  next: () => ToldCaller,
  tell: (answer: ToldAnswer) => void,
): TrafficNode {
  const { name } = client.node;
  return {
    name,
    async check(lifetime) {
      const { count, key } = next();
      const asking = askingNode(
        client,
        callers,
        () => key,
        timeoutMs,
        () => {
          const caller = count.ask(name, now());
          return ({ answer, endedAt }, outcome) => {
            const said = outcome === 'Allowed' ? 'Admitted' : outcome === 'Denied' ? 'Denied' : undefined;
            if (!answer || !said) return caller.over();
            const told = caller.answered(said, answer, endedAt);
            if (told) tell(told);
          };
        },
      );
      return await asking.check(lifetime);
    },
  };
}
