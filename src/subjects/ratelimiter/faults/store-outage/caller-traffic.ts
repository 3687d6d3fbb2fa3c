/**
 * Callers of a rate limiter, at a fixed rate that does not wait for answers (an open
 * loop): at every turn each node is asked by one caller of each kind.
 */
import type { NodeClient } from '../../http/node-client.ts';
import { type CallerRequest, gotOf } from '../../interfaces/caller-request.ts';
import type { Callers } from '../../interfaces/callers.ts';
import type { TrafficRoom } from '../../interfaces/traffic-room.ts';
import { pauseFor } from '../../waiting.ts';

const TICK_MS = 10;
/** How far it catches up on what was due while this process stood still; what is older is left out. */
const CATCH_UP_MS = 200;

/** Callers that are alike. */
export interface CallerKind {
  readonly caller: CallerRequest['caller'];
  /** One key for each request, in their order; traffic ends where there is none left. */
  readonly keys: Iterable<string>;
}

export interface CallerTrafficOptions {
  readonly clients: readonly NodeClient[];
  readonly callers: Pick<Callers, 'read' | 'requestOf'>;
  /** The kinds. */
  readonly kinds: readonly CallerKind[];
  /** Of each kind, to each node. */
  readonly requestsPerSecond: number;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  readonly room: TrafficRoom;
  /** There was no room for another open request, which was not sent then, or for an answer, which was given up. */
  readonly leftOut: () => void;
}

/**
 * Sends until `stop` is aborted or no key is left, then waits for the answers still open. `lifetime` ends it at
 * once; what was under way then is not told.
 * @throws the first InvalidRequestError; nothing more is sent then
 */
export async function runCallerTraffic(
  options: CallerTrafficOptions,
  tell: (request: CallerRequest) => void,
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<void> {
  const { clients, leftOut: onLeftOut, requestsPerSecond, room } = options;
  const start = performance.now();
  const kinds = options.kinds.map(({ caller, keys }) => ({ caller, keys: keys[Symbol.iterator]() }));
  const open = new Set<Promise<void>>();
  const failed = new AbortController();
  const send = (client: NodeClient, caller: CallerRequest['caller'], key: string): void => {
    const place = room();
    if (!place) {
      onLeftOut();
      return;
    }
    const request = ask(options, client, caller, key, tell, lifetime)
      // Nobody waits for it yet, so it must not be rejected.
      .catch((error: unknown) => failed.abort(error))
      .finally(() => {
        place.release();
        open.delete(request);
      });
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

async function ask(
  {
    callerTimeoutMs,
    callers,
    leftOut,
  }: Pick<CallerTrafficOptions, 'callers' | 'callerTimeoutMs' | 'leftOut'>,
  client: NodeClient,
  caller: CallerRequest['caller'],
  key: string,
  tell: (request: CallerRequest) => void,
  lifetime: AbortSignal,
): Promise<void> {
  const asked = await client.ask(callers.requestOf(key), callerTimeoutMs, lifetime);
  if (asked.failure?.code === 'NO_ROOM') leftOut();
  const said = gotOf(asked, callers);
  if (!said) return;
  const { endedAt, sentAt } = asked;
  const { problem: _, ...heard } = said;
  tell({ node: client.node.name, caller, sentAt, endedAt, ...heard });
}

/** Each key so many times, one after the other. */
export function* usedTimes(keys: Iterable<string>, uses: number): Generator<string, undefined> {
  for (const key of keys) for (let i = 0; i < uses; i += 1) yield key;
}

/** One key for all requests. */
export function* always(key: string): Generator<string, never> {
  for (;;) yield key;
}
