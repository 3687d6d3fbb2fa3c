/**
 * Callers of a rate limiter, at a fixed rate that does not wait for answers (an open
 * loop): at every turn each pod gets one request of each kind of caller. A request whose caller has given up may be
 * listened to further: a limiter that admits it late has admitted it.
 */

import type { CallerKind, CallerRequest, LateAnswer } from '../../history/events.ts';
import type { ConnectionLease } from '../../http/connection-budget.ts';
import type { Asked, NodeClient } from '../../http/node-client.ts';
import { gotOf } from '../../interfaces/caller-request.ts';
import type { Callers } from '../../interfaces/callers.ts';
import type { TrafficRoom } from '../../interfaces/traffic-room.ts';
import { pauseFor } from '../../waiting.ts';

const TICK_MS = 10;
/** How far it catches up on what was due while this process stood still; what is older is left out. */
const CATCH_UP_MS = 200;

/**
 * Requests that are listened to at once after their callers gave up. With so many, no more are sent of kinds that are
 * listened to: the outcome of a dropped one would not be known. Other runs need connections as well.
 */
const MOST_LATE = 300;

/** Callers that are alike. */
export interface KindOfTraffic {
  readonly caller: CallerKind;
  /** One key for each request, in their order; traffic ends where there is none left. */
  readonly keys: Iterable<string>;
}

/** Hears a request once its caller has an answer or has given up. */
export type Tell = (request: CallerRequest) => void;

/** Listens to the requests whose callers gave up. */
export interface LateTraffic {
  /** Whether to listen to requests of this kind. */
  readonly listensTo: (caller: CallerKind) => boolean;
  /** Called at most once for a request, and after `tell`. */
  readonly hear: (request: CallerRequest, late: LateAnswer) => void;
  /** Ends the listening. */
  readonly until: AbortSignal;
}

export interface CallerTrafficOptions {
  readonly clients: readonly NodeClient[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  readonly kinds: readonly KindOfTraffic[];
  /** Of each kind, to each node. */
  readonly requestsPerSecond: number;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  readonly room: TrafficRoom;
  /** There was no room for another open request, which was not sent then, or for an answer, which was given up. */
  readonly leftOut: () => void;
  /** Left out: the operator does not listen once a caller has given up. */
  readonly late?: LateTraffic;
}

/**
 * Sends until `stop` is aborted or no key is left, then waits until every caller has an answer or has given up.
 * `lifetime` ends it at once; what was under way then is not reported.
 * @throws the first InvalidRequestError; nothing more is sent then
 */
export async function runCallerTraffic(
  options: CallerTrafficOptions,
  tell: Tell,
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<void> {
  const { clients, leftOut: onLeftOut, requestsPerSecond, room } = options;
  const listening = new Listening();
  const start = performance.now();
  const kinds = options.kinds.map(({ caller, keys }) => ({ caller, keys: keys[Symbol.iterator]() }));
  const open = new Set<Promise<void>>();
  const failed = new AbortController();
  const send = (client: NodeClient, caller: CallerKind, key: string): void => {
    // Who is still waited for goes before who has given up.
    const place = room() ?? listening.handOver();
    if (!place) {
      onLeftOut();
      return;
    }
    const request = ask({ ...options, client, caller, key, place, listening }, tell, lifetime)
      // Nobody waits for it yet, so it must not be rejected.
      .catch((error: unknown) => failed.abort(error))
      .finally(() => open.delete(request));
    open.add(request);
  };
  const ended = async (): Promise<void> => {
    await Promise.all(open);
    failed.signal.throwIfAborted();
  };
  const either = AbortSignal.any([stop, lifetime, failed.signal]);
  const catchUp = Math.max(1, Math.ceil((CATCH_UP_MS / 1000) * requestsPerSecond));
  let turn = 0;
  let leftOut = 0;
  while (!either.aborted) {
    const due = Math.floor(((performance.now() - start) / 1000) * requestsPerSecond) + 1 - leftOut;
    leftOut += Math.max(0, due - turn - catchUp);
    const until = Math.min(due, turn + catchUp);
    for (; turn < until; turn += 1) {
      for (const client of clients) {
        for (const { caller, keys } of kinds) {
          if (listening.isFull && options.late?.listensTo(caller)) continue;
          const { done, value } = keys.next();
          if (done) return await ended();
          send(client, caller, value);
        }
      }
    }
    await pauseFor(TICK_MS, either).catch(() => undefined);
  }
  await ended();
}

interface OneRequest extends Pick<CallerTrafficOptions, 'callers' | 'callerTimeoutMs' | 'late' | 'leftOut'> {
  readonly client: NodeClient;
  readonly caller: CallerKind;
  readonly key: string;
  /** Given back once nothing of the request is open any more. */
  readonly place: ConnectionLease;
  readonly listening: Listening;
}

/** Resolves once the caller has an answer or has given up; the request may go on then. */
async function ask(
  { caller, callers, callerTimeoutMs, client, key, late, leftOut, listening, place }: OneRequest,
  tell: Tell,
  lifetime: AbortSignal,
): Promise<void> {
  const dropped = new AbortController();
  let request: CallerRequest | undefined;
  const listener = late?.listensTo(caller)
    ? {
        until: AbortSignal.any([late.until, dropped.signal]),
        hear: (asked: Asked): void => {
          listening.end(dropped);
          const got = gotOf(asked, callers)?.got;
          if (request && got !== undefined && got !== 'Unanswered') {
            late.hear(request, { got, at: asked.endedAt });
          }
        },
      }
    : undefined;
  let goesOn = false;
  try {
    const asked = await client.ask(callers.requestOf(key), callerTimeoutMs, lifetime, listener);
    if (asked.failure?.code === 'NO_ROOM') leftOut();
    const said = gotOf(asked, callers);
    if (!said) return;
    const { endedAt, sentAt } = asked;
    const { problem: _, ...heard } = said;
    request = { node: client.node.name, caller, key, sentAt, endedAt, ...heard };
    tell(request);
    goesOn = listener !== undefined && heard.got === 'Unanswered';
    if (goesOn) listening.begin(dropped, place);
  } finally {
    if (!goesOn) place.release();
  }
}

/** The requests that are open though their callers gave up, with the connections that they hold. */
class Listening {
  /** In the order in which they were given up. */
  readonly #open = new Map<AbortController, ConnectionLease>();

  begin(request: AbortController, place: ConnectionLease): void {
    this.#open.set(request, place);
  }

  get isFull(): boolean {
    return this.#open.size >= MOST_LATE;
  }

  end(request: AbortController): void {
    this.#open.get(request)?.release();
    this.#open.delete(request);
  }

  /** Drops the oldest, and hands the connection that it held over; undefined: there is none. */
  handOver(): ConnectionLease | undefined {
    const [oldest] = this.#open;
    if (!oldest) return undefined;
    const [request, place] = oldest;
    this.#open.delete(request);
    request.abort();
    return place;
  }
}

/** Each key so many times, one after the other. */
export function* usedTimes(keys: Iterable<string>, uses: number): Generator<string, undefined> {
  for (const key of keys) for (let i = 0; i < uses; i += 1) yield key;
}

/** All keys over and over, shifted by one each time, so that each of them comes to each pod. */
export function* inTurn(keys: readonly string[]): Generator<string, undefined> {
  for (let round = 0; keys.length > 0; round += 1) {
    for (let i = 0; i < keys.length; i += 1) yield keys[(i + round) % keys.length] ?? '';
  }
}

/** One key for all requests. */
export function* always(key: string): Generator<string, never> {
  for (;;) yield key;
}
