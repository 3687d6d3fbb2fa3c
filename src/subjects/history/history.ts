/**
 * The one record of a fault: events in the order in which they became known. All judging, display and export reads it,
 * and nothing else records.
 */

import type { Memory } from '../memory.ts';
import type { CallerRequest, EventOf, HistoryEvent, LateAnswer } from './events.ts';
import { type FaultTimes, NOTHING_RECORDED, recorded } from './recorded.ts';
import type { Setup } from './setup.ts';

/**
 * More events are not kept; traffic of 1,000 a second, the most that a run may send, stays below it for two minutes. A
 * request takes some 150 bytes; with 200 pods the largest history takes some 30 MiB.
 */
export const MOST_EVENTS = 140_000;

/**
 * At most this many of those are requests and late answers, so that steps of the fault, probes and health have room.
 */
export const MOST_REQUESTS_KEPT = 130_000;

/** Events for which memory is taken at once, and what one takes; bytes. */
const [ROOM_EVENTS, EVENT_BYTES] = [1000, 234];

/** Gets each event after it is recorded, and a `dropped` for each one that is not. Must not throw. */
export type Listener = (event: HistoryEvent) => void;

export class History<S extends Setup = Setup> {
  readonly setup: S;
  readonly #events: HistoryEvent[] = [];
  readonly #requests: CallerRequest[] = [];
  /** Requests that were recorded as unanswered, with their ids. */
  readonly #unanswered = new Map<CallerRequest, number>();
  readonly #listeners: Listener[] = [];
  #recorded = NOTHING_RECORDED;
  /** undefined: it needs none, or was given back. */
  #memory: Memory | undefined;
  /** Events for which there is memory. */
  #room: number;

  /** @param memory left out: only the number of events is bounded */
  constructor(setup: S, memory?: Memory) {
    this.setup = setup;
    this.#memory = memory;
    this.#room = memory ? 0 : MOST_EVENTS;
  }

  /** Gives its memory back. Nothing more is recorded. */
  release(): void {
    this.#memory?.give(this.#room * EVENT_BYTES);
    this.#memory = undefined;
    this.#room = 0;
  }

  /** Requests that ended, in that order; each with the answer that came after its caller had given up. */
  get requests(): readonly CallerRequest[] {
    return this.#requests;
  }

  /** When the fault was active, as far as known. */
  get times(): FaultTimes {
    return this.#recorded.times;
  }

  /** Events that are missing, because the history was full. */
  get dropped(): number {
    return this.#recorded.dropped;
  }

  /** The last event of a kind. */
  last<K extends HistoryEvent['kind']>(kind: K): EventOf<K> | undefined {
    return this.#events.findLast((event): event is EventOf<K> => event.kind === kind);
  }

  /** Every event, in order. */
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** From now on `listener` gets every event, in order. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Records a request that has its outcome. @returns its id */
  request(request: CallerRequest): number {
    const { late, ...rest } = request;
    const id = this.#requests.length;
    this.append({ kind: 'request', id, ...rest });
    if (late) this.append({ kind: 'late', id, ...late });
    // The caller identifies it by the object that it passed.
    else if (request.outcome === 'Timeout' && this.#requests.length > id) this.#unanswered.set(request, id);
    return id;
  }

  /** Records the answer to a request whose caller had given up. */
  late(request: CallerRequest, answer: LateAnswer): void {
    const id = this.#unanswered.get(request);
    if (id === undefined) return;
    this.#unanswered.delete(request);
    this.append({ kind: 'late', id, ...answer });
  }

  /** Records an event and passes it to the listeners. If the history is full, it only counts the event. */
  append(event: HistoryEvent): void {
    const isRequest = event.kind === 'request' || event.kind === 'late';
    const most = isRequest ? MOST_REQUESTS_KEPT : MOST_EVENTS;
    // Steps of the fault, probes and health are few: without them, nothing could be judged.
    if (this.#events.length >= most || (isRequest && !this.#hasRoom())) {
      this.#pass({ kind: 'dropped', events: 1 });
      return;
    }
    if (event.kind === 'request') {
      if (event.id !== this.#requests.length) {
        throw new RangeError(`request ${event.id} is recorded as number ${this.#requests.length}`);
      }
      this.#requests.push(event);
    } else if (event.kind === 'late') {
      const { id, kind: _, ...late } = event;
      const request = this.#requests[id];
      if (request?.outcome !== 'Timeout' || request.late) {
        throw new RangeError(`request ${id} was not recorded as unanswered, so it has no late answer`);
      }
      this.#requests[id] = { ...request, late };
    }
    this.#events.push(event);
    this.#pass(event);
  }

  #pass(event: HistoryEvent): void {
    this.#recorded = recorded(this.#recorded, event);
    for (const listener of this.#listeners) listener(event);
  }

  #hasRoom(): boolean {
    if (this.#events.length < this.#room) return true;
    if (!this.#memory?.take(ROOM_EVENTS * EVENT_BYTES)) return false;
    this.#room += ROOM_EVENTS;
    return true;
  }
}
