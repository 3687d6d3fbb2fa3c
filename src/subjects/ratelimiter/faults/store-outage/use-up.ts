/** Uses the limit of one caller up, without haste: what a limiter in order admits, and that it then denies. */
import type { NodeClient } from '../../http/node-client.ts';
import type { Callers } from '../../interfaces/callers.ts';
import { pauseFor } from '../../waiting.ts';
import type { CallerRequest } from './behaviour.ts';
import { gotOf } from './caller-traffic.ts';

/** Between two requests, so that counts which are synchronised now and then keep up; milliseconds. */
const APART_MS = 20;
/** Denials in a row of every node after which the limit counts as used up. */
const DENIALS = 2;

export interface UseUpOptions {
  readonly clients: readonly NodeClient[];
  readonly callers: Callers;
  readonly key: string;
  /** Requests after which it is given up. */
  readonly most: number;
  readonly callerTimeoutMs: number;
}

export interface UsedUp {
  readonly requests: readonly CallerRequest[];
  /** Whether every node denies by now. */
  readonly usedUp: boolean;
}

/**
 * Asks the nodes in turn, one request after the other, until all of them deny, one gives no proper answer, or
 * `most` were sent. @throws the reason of `signal`
 */
export async function useUp(options: UseUpOptions, signal: AbortSignal): Promise<UsedUp> {
  const { callers, callerTimeoutMs, clients, key, most } = options;
  const requests: CallerRequest[] = [];
  let denials = 0;
  for (let i = 0; i < most && denials < DENIALS * clients.length; i += 1) {
    const client = clients[i % clients.length];
    if (!client) break;
    const asked = await client.ask(callers.requestOf(key), callerTimeoutMs, signal);
    signal.throwIfAborted();
    const got = gotOf(asked, callers);
    if (got === undefined) continue;
    const { endedAt, sentAt } = asked;
    requests.push({ node: client.node.name, caller: 'Beyond', sentAt, endedAt, got });
    if (got === 'Failed' || got === 'Unanswered') break;
    denials = got === 'Denied' ? denials + 1 : 0;
    await pauseFor(APART_MS, signal);
  }
  return { requests, usedUp: denials >= DENIALS * clients.length && clients.length > 0 };
}
