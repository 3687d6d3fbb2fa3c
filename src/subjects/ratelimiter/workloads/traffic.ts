/**
 * The open-loop sender: requests at a fixed rate that does not wait for answers, so a slow rate limiter gets no fewer.
 * A request whose caller has given up may stay open: a limiter that admits it late has admitted it.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../api/index.ts';
import type { CallerKind, CallerRequest, LateAnswer } from '../history/events.ts';
import type { ConnectionLease, TrafficRoom } from '../http/connection-budget.ts';
import type { PodClient, RequestResult } from '../http/pod-client.ts';
import { outcomeOf, requestIn } from '../interfaces/caller-request.ts';
import type { HttpCallers } from '../interfaces/http/http-callers.ts';

const TICK_MS = 10;

/**
 * How much overdue traffic it catches up on after a stall of this process; older requests are left out, because sending
 * all at once would be a burst.
 */
const CATCH_UP_MS = 200;

/** Requests that one run may have open at once; beyond that, requests are left out rather than queued. */
const MOST_OPEN = 1000;

/**
 * Requests that may stay open at once after their callers gave up. At this number, no more are sent that are
 * listened to: the outcome of a dropped one would be unknown. Other runs need connections as well.
 */
const MOST_LATE = 300;

/** One request that is due. */
export interface Due {
  readonly client: PodClient;
  readonly caller: CallerKind;
  readonly key: string;
}

/** The due requests of each turn, in order; ends when there is nothing more to send. */
export type Schedule = Iterable<readonly Due[]>;

/** Records a request once its caller has an answer or has given up. */
export type RecordRequest = (request: CallerRequest) => void;

/** Listens to the requests whose callers gave up. */
export interface LateTraffic {
  /** Whether to listen to such a request. */
  readonly listensTo: (due: Due) => boolean;
  /** Called at most once for a request, and after `record`. */
  readonly onAnswer: (request: CallerRequest, late: LateAnswer) => void;
  /** Ends the listening. */
  readonly until: AbortSignal;
}

export interface TrafficOptions {
  readonly schedule: Schedule;
  readonly turnsPerSecond: number;
  readonly callers: Pick<HttpCallers, 'read' | 'requestOf'>;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  readonly room: TrafficRoom;
  /** A request was not sent because too many were open, or an answer was dropped for lack of memory. */
  readonly leftOut: () => void;
  /** Left out: the operator does not listen once a caller has given up. */
  readonly late?: LateTraffic;
  /** Called before a request is sent. The returned function gets its result, before `record` does, if it does. */
  readonly sending?: (due: Due) => ((result: RequestResult) => void) | undefined;
}

/**
 * Sends until `stop` is aborted or the schedule ends, then waits until every caller has an answer or has given up.
 * `lifetime` ends it at once; requests in flight are not reported then.
 * @throws the first TypeError; nothing more is sent then
 */
export async function runTraffic(
  options: TrafficOptions,
  record: RecordRequest,
  stop: AbortSignal,
  lifetime: AbortSignal,
): Promise<void> {
  const { late, leftOut: onLeftOut, room, schedule, turnsPerSecond } = options;
  const listening = new Listening();
  const open = new Set<Promise<void>>();
  const failed = new AbortController();
  const send = (due: Due): void => {
    if (listening.isFull && late?.listensTo(due)) return;
    // A caller that still waits takes precedence over one that has given up.
    const place = open.size < MOST_OPEN ? (room() ?? listening.handOver()) : undefined;
    if (!place) {
      onLeftOut();
      return;
    }
    const request = sendOne({ ...options, due, place, listening }, record, lifetime)
      // Not awaited yet, so it must not reject.
      .catch((error: unknown) => failed.abort(error))
      .finally(() => open.delete(request));
    open.add(request);
  };
  const turns = schedule[Symbol.iterator]();
  const either = AbortSignal.any([stop, lifetime, failed.signal]);
  const catchUp = Math.max(1, Math.ceil((CATCH_UP_MS / 1000) * turnsPerSecond));
  const start = performance.now();
  let [turn, leftOut, isOver] = [0, 0, false];
  while (!either.aborted && !isOver) {
    const due = Math.floor(((performance.now() - start) / 1000) * turnsPerSecond) + 1 - leftOut;
    leftOut += Math.max(0, due - turn - catchUp);
    const until = Math.min(due, turn + catchUp);
    for (; turn < until && !isOver; turn += 1) {
      const next = turns.next();
      isOver = next.done === true;
      if (!next.done) for (const each of next.value) send(each);
    }
    if (!isOver) await pauseFor(TICK_MS, either).catch(() => undefined);
  }
  await Promise.all(open);
  failed.signal.throwIfAborted();
}

interface OneRequest
  extends Pick<TrafficOptions, 'callers' | 'callerTimeoutMs' | 'late' | 'leftOut' | 'sending'> {
  readonly due: Due;
  /** Released once the request is no longer open. */
  readonly place: ConnectionLease;
  readonly listening: Listening;
}

/** Resolves once the caller has an answer or has given up; the request may continue then. */
async function sendOne(
  { callers, callerTimeoutMs, due, late, leftOut, listening, place, sending }: OneRequest,
  record: RecordRequest,
  lifetime: AbortSignal,
): Promise<void> {
  const { caller, client, key } = due;
  const dropped = new AbortController();
  let request: CallerRequest | undefined;
  const listener = late?.listensTo(due)
    ? {
        until: AbortSignal.any([late.until, dropped.signal]),
        onEnd: (result: RequestResult): void => {
          listening.end(dropped);
          const outcome = outcomeOf(result, callers)?.outcome;
          if (request && outcome !== undefined && outcome !== 'Timeout') {
            late.onAnswer(request, { outcome, at: result.endedAt });
          }
        },
      }
    : undefined;
  let continues = false;
  const heard = sending?.(due);
  try {
    const result = await client.send(callers.requestOf(key), callerTimeoutMs, lifetime, listener);
    heard?.(result);
    if (result.failure?.code === 'NO_ROOM') leftOut();
    const of = { pod: client.pod.name, caller, key };
    request = lifetime.aborted ? undefined : requestIn(result, callers, of)?.request;
    if (!request) return;
    record(request);
    continues = listener !== undefined && request.outcome === 'Timeout';
    if (continues) listening.begin(dropped, place);
  } finally {
    if (!continues) place.release();
  }
}

/** Requests that are open although their callers gave up, with their connections. */
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

  /** Drops the oldest, and returns its connection; undefined: there is none. */
  handOver(): ConnectionLease | undefined {
    const [oldest] = this.#open;
    if (!oldest) return undefined;
    const [request, place] = oldest;
    this.#open.delete(request);
    request.abort();
    return place;
  }
}

/** In every turn the next pod gets the next request. @param keys one for each request */
export function* podByPod(
  clients: readonly PodClient[],
  caller: CallerKind,
  keys: Iterable<string>,
): Generator<Due[]> {
  let turn = 0;
  for (const key of keys) {
    const client = clients[turn % clients.length];
    if (!client) return;
    yield [{ client, caller, key }];
    turn += 1;
  }
}

/** Each key this many times, one after the other. */
export function* usedTimes(keys: Iterable<string>, uses: number): Generator<string, undefined> {
  for (const key of keys) for (let i = 0; i < uses; i += 1) yield key;
}

/** One key for all requests. */
export function* always(key: string): Generator<string, never> {
  for (;;) yield key;
}

/** The shortfall if this many requests were left out, with what to do. */
export function leftOutShortfall(requests: number): string {
  return `some of the traffic was left out (${counted(requests, 'request')}): this run had 1000 requests open, or the runs of its namespace, or of others, left no connection or no memory for an answer. Run fewer at once, or lower the rate or the time that an answer may take`;
}
