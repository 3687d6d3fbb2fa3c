/**
 * The open-loop sender: requests at a fixed rate that does not wait for answers, so a slow rate limiter gets no fewer.
 * A request whose caller has given up may stay open: a limiter that admits it late has admitted it.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { CallerKind, CallerRequest, LateAnswer } from '../../history/events.ts';
import { outcomeOf, requestIn } from '../../http/caller-request.ts';
import type { ConnectionLease, TrafficRoom } from '../../http/connection-budget.ts';
import type { PodClient, RequestResult } from '../../http/pod-client.ts';
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
 * Requests that may stay open at once after their callers gave up: as many as in a stall of 10 s on three pods. Beyond that,
 * requests end with the patience of their callers, and whether they were admitted late is unknown.
 */
const MOST_LATE = 500;

/** One request that is due. */
export interface Due {
  readonly client: PodClient;
  readonly caller: CallerKind;
  readonly key: string;
}

/** Records a request once its caller has an answer or has given up. */
export type RecordRequest = (request: CallerRequest) => void;

/** Listens to the requests whose callers gave up. */
export interface LateTraffic {
  /** Whether to listen to such a request, while there is room for it. */
  readonly listensTo: (due: Due) => boolean;
  /** Called at most once for a request, and after `record`. */
  readonly onAnswer: (request: CallerRequest, late: LateAnswer) => void;
  /** Ends the listening. */
  readonly until: AbortSignal;
}

export interface TrafficOptions {
  /** The due requests of each turn, which are numbered from 0; undefined: there is nothing more to send. */
  readonly schedule: (turn: number) => readonly Due[] | undefined;
  readonly turnsPerSecond: number;
  readonly callers: Pick<HttpCallers, 'read' | 'requestOf'>;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  readonly room: TrafficRoom;
  /** A request was not sent because too many were open, or an answer was dropped for lack of memory. */
  readonly leftOut: () => void;
  /** Left out: the operator does not listen once a caller has given up. */
  readonly late?: LateTraffic;
  /** Called before a request is sent. The returned function is called once it has ended, before `record`. */
  readonly sending?: (due: Due) => () => void;
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
  const { callers, callerTimeoutMs, late, leftOut, room, schedule, sending, turnsPerSecond } = options;
  /** Requests whose callers wait. */
  const open = new Set<Promise<void>>();
  /** The connections of those that are open although their callers gave up. */
  const waiting = new Set<ConnectionLease>();
  const failed = new AbortController();

  /**
   * Resolves once the caller has an answer or has given up; the request may continue then.
   * @param place released once the request is no longer open
   */
  const send = async (due: Due, place: ConnectionLease): Promise<void> => {
    const { caller, client, key } = due;
    let request: CallerRequest | undefined;
    const listener =
      late?.listensTo(due) && waiting.size < MOST_LATE
        ? {
            until: late.until,
            onEnd: (result: RequestResult): void => {
              if (waiting.delete(place)) place.release();
              const outcome = outcomeOf(result, callers)?.outcome;
              if (request && outcome !== undefined && outcome !== 'Timeout') {
                late.onAnswer(request, { outcome, at: result.endedAt });
              }
            },
          }
        : undefined;
    const ended = sending?.(due);
    try {
      const result = await client.send(callers.requestOf(key), callerTimeoutMs, lifetime, listener);
      ended?.();
      if (result.failure?.code === 'NO_ROOM') leftOut();
      const of = { pod: client.pod.name, caller, key };
      request = lifetime.aborted ? undefined : requestIn(result, callers, of)?.request;
      if (!request) return;
      record(request);
      if (listener && request.outcome === 'Timeout') waiting.add(place);
    } finally {
      if (!waiting.has(place)) place.release();
    }
  };

  const begin = (due: Due): void => {
    const place = open.size < MOST_OPEN ? room() : undefined;
    if (!place) {
      leftOut();
      return;
    }
    const request = send(due, place)
      // Not awaited yet, so it must not reject.
      .catch((error: unknown) => failed.abort(error))
      .finally(() => open.delete(request));
    open.add(request);
  };

  const either = AbortSignal.any([stop, lifetime, failed.signal]);
  const catchUp = Math.max(1, Math.ceil((CATCH_UP_MS / 1000) * turnsPerSecond));
  const start = performance.now();
  let [turn, missed, isOver] = [0, 0, false];
  while (!either.aborted && !isOver) {
    const due = Math.floor(((performance.now() - start) / 1000) * turnsPerSecond) + 1 - missed;
    missed += Math.max(0, due - turn - catchUp);
    const until = Math.min(due, turn + catchUp);
    for (; turn < until && !isOver; turn += 1) {
      const next = schedule(turn);
      isOver = next === undefined;
      for (const each of next ?? []) begin(each);
    }
    if (!isOver) await pauseFor(TICK_MS, either).catch(() => undefined);
  }
  await Promise.all(open);
  failed.signal.throwIfAborted();
}

/** A schedule of steady traffic: in each turn the next pod gets a request. @param keyOf the caller of a turn */
export function podByPod(clients: readonly PodClient[], keyOf: (turn: number) => string) {
  return (turn: number): Due[] => {
    const client = clients[turn % clients.length];
    return client ? [{ client, caller: 'Steady', key: keyOf(turn) }] : [];
  };
}
