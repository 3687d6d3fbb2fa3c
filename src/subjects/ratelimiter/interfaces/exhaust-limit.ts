/** Uses the limit of one caller up, without haste: what a limiter in order admits, and that it then denies. */
import { truncate } from '../../../api/index.ts';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import type { NodeClient } from '../http/node-client.ts';
import { pauseFor } from '../waiting.ts';
import { gotOf, isUnheard } from './caller-request.ts';
import type { Callers } from './callers.ts';

/** So many requests more than its limit a limiter may let through before it is given up. */
export const MOST_BEYOND = 50;

/** Between two requests at most, so that counts which are synchronised now and then keep up; milliseconds. */
const APART_MS = 20;
/** A large limit is used up in no more than about this; milliseconds. */
const WITHIN_MS = 10_000;
/** The part of a window that it may take at most: what comes back meanwhile has to be used up, too. */
const PART_OF_WINDOW = 1 / 2;
/** Characters of what was asked, for people. */
const MOST_ASKED = 120;
/** Requests that may be admitted, with a rest after each, beyond those that were left: each takes its time. */
const MOST_RESTS = 10;
/** Denials in a row of every node after which the limit counts as used up. */
const DENIALS = 2;

export interface ExhaustOptions {
  readonly clients: readonly Pick<NodeClient, 'ask' | 'node'>[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  readonly key: string;
  /** Requests after which it is given up. */
  readonly most: number;
  readonly callerTimeoutMs: number;
  /** Length of the caller's window; milliseconds. */
  readonly windowMs: number;
  /** About how long all of it may take, in milliseconds; default: 10 s. At most half of a window in any case. */
  readonly withinMs?: number;
  /** Where nodes have to learn of each other's counts first. */
  readonly rest?: UseUpRest;
}

/** Before the first request beyond what is left to a caller, and after each that is admitted then. */
export interface UseUpRest {
  /** Requests that are left to it. */
  readonly left: number;
  readonly learned: (key: string, signal: AbortSignal) => Promise<void>;
}

export interface Exhausted {
  readonly requests: readonly CallerRequest[];
  /** Whether every node denies by now. */
  readonly exhausted: boolean;
  /** The answer that was neither yes nor no, which ended it. */
  readonly improper?: {
    readonly node: string;
    /** Method and path. */
    readonly asked: string;
    readonly problem: string;
    readonly outcome: RequestOutcome;
    /** The connection broke, or none came about: the node said nothing. */
    readonly unheard: boolean;
  };
}

/**
 * Asks the nodes in turn, one request after the other, until all of them deny, one gives no proper answer, or
 * `most` were sent. @throws the reason of `signal`; an Error where we gave up an answer for which there was no room:
 *   how much of the limit is used up is not known then
 */
export async function exhaustLimit(options: ExhaustOptions, signal: AbortSignal): Promise<Exhausted> {
  const { callers, callerTimeoutMs, clients, key, most, rest, windowMs, withinMs = WITHIN_MS } = options;
  const requests: CallerRequest[] = [];
  const allMs = Math.min(withinMs, windowMs * PART_OF_WINDOW);
  const apartMs = Math.min(APART_MS, allMs / Math.max(1, most));
  let [admitted, denials, rested] = [0, 0, -1];
  for (let i = 0; i < most && denials < DENIALS * clients.length; i += 1) {
    const client = clients[i % clients.length];
    if (!client || (rest && admitted > rest.left + MOST_RESTS)) break;
    if (rest && admitted >= rest.left && rested !== admitted) {
      await rest.learned(key, signal);
      rested = admitted;
    }
    const request = callers.requestOf(key);
    const asked = await client.ask(request, callerTimeoutMs, signal);
    signal.throwIfAborted();
    if (asked.failure?.code === 'NO_ROOM') throw new Error(`${client.node.name}: ${asked.failure.message}`);
    const said = gotOf(asked, callers);
    if (!said) continue;
    const { problem, ...heard } = said;
    const { endedAt, sentAt } = asked;
    const node = client.node.name;
    requests.push({ pod: node, caller: 'Over', sentAt, endedAt, ...heard });
    if (problem !== undefined) {
      const what = truncate(`${request.method} ${request.path}`, MOST_ASKED);
      const { outcome } = heard;
      const unheard = isUnheard(heard);
      return { requests, exhausted: false, improper: { node, asked: what, problem, outcome, unheard } };
    }
    denials = heard.outcome === 'Rejected' ? denials + 1 : 0;
    if (heard.outcome === 'Admitted') admitted += 1;
    await pauseFor(apartMs, signal);
  }
  return { requests, exhausted: clients.length > 0 && denials >= DENIALS * clients.length };
}
