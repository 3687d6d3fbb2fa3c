/**
 * The budget of this process for requests to pods: connections, and the memory of partly received answers, counted as
 * the number of connections that would take as much; and the memory of histories. All runs share it, and each namespace
 * may have a part of it.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { SharedPlace } from '../../engine/subject.ts';
import { sumOf } from '../history/counts.ts';
import type { Memory } from '../memory.ts';

/** What a plain connection of a burst takes with its request, measured with 10,000 of them: 8.3 KiB. */
export const CONNECTION_BYTES = 9 * 1024;

/** Bytes that the histories of all runs take, and those of one namespace: its largest history, and half of another. */
const [HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE] = [96 * 1024 * 1024, 48 * 1024 * 1024];

/** How often those who wait check whether a run, of this thread or another, has given enough back; milliseconds. */
const RETRY_MS = 20;

export interface ConnectionLease {
  /** Gives them back; further calls have no effect. */
  readonly release: () => void;
}

/** A connection for one more open request, to be given back; undefined: none is free, and the request is left out. */
export type TrafficRoom = () => ConnectionLease | undefined;

export class ConnectionBudget {
  readonly #mostByNamespace: number;
  readonly #bytes: ByteBudget;
  readonly #histories: ByteBudget;

  /**
   * @param most connections that may be open at once, of all namespaces
   * @param mostByNamespace the same for one namespace
   * @param shared with other threads of this process; a namespace has one thread at a time
   */
  constructor(most: number, mostByNamespace = most, shared?: SharedPlace) {
    this.#mostByNamespace = mostByNamespace;
    const [bytes, bytesByNamespace] = [most * CONNECTION_BYTES, mostByNamespace * CONNECTION_BYTES];
    this.#bytes = byteBudgetOf(0, bytes, bytesByNamespace, shared);
    this.#histories = byteBudgetOf(1, HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE, shared);
  }

  get free(): number {
    return Math.floor(this.#bytes.free() / CONNECTION_BYTES);
  }

  /** What this namespace may have; memory for an answer is taken at once, or not at all. */
  onBehalfOf(namespace: string) {
    const answers = this.#bytes.share(namespace);
    /** Takes `count` connections now; undefined if they would have to wait. */
    const tryAcquire = (count: number): ConnectionLease | undefined => {
      let bytes = count * CONNECTION_BYTES;
      if (!answers.take(bytes)) return undefined;
      const release = (): void => {
        answers.give(bytes);
        bytes = 0;
      };
      return { release };
    };
    return {
      ...answers,
      /** For the histories of its runs. */
      history: this.#histories.share(namespace),
      /** Connections that the namespace may have at once. */
      most: this.#mostByNamespace,
      tryAcquire,
      /** Takes `count` connections once that many are free. @throws the reason of `signal` once it is aborted */
      async acquire(count: number, signal: AbortSignal): Promise<ConnectionLease> {
        for (;;) {
          signal.throwIfAborted();
          const lease = tryAcquire(count);
          if (lease) return lease;
          await pauseFor(RETRY_MS, signal);
        }
      },
    };
  }
}

/** The part of one namespace. */
export type ConnectionShare = ReturnType<ConnectionBudget['onBehalfOf']>;

/** Kinds of memory: of connections, and of histories. */
const KINDS = 2;

type ByteBudget = ReturnType<typeof byteBudgetOf>;

/**
 * Memory of this process that all runs share, and of which each namespace may have a part.
 * @param most bytes of all namespaces, and `mostByNamespace` of one
 */
function byteBudgetOf(kind: number, most: number, mostByNamespace: number, shared?: SharedPlace) {
  const { memory, place } = shared ?? { memory: new ArrayBuffer(KINDS * 8), place: 0 };
  /** Bytes of each thread and kind; each thread adds to its own only. */
  const bytes = new Float64Array(memory);
  const own = place * KINDS + kind;
  // What an ended thread had in this place is free.
  bytes[own] = 0;
  const byNamespace = new Map<string, number>();
  const free = (): number => most - sumOf(bytes.filter((_, i) => i % KINDS === kind));
  /** The part of one namespace. */
  const share = (namespace: string): Memory => {
    const held = (): number => byNamespace.get(namespace) ?? 0;
    const add = (more: number): void => {
      byNamespace.set(namespace, held() + more);
      if (held() === 0) byNamespace.delete(namespace);
      bytes[own] = (bytes[own] ?? 0) + more;
    };
    return {
      take(more) {
        const fits = held() + more <= mostByNamespace && more <= free();
        if (fits) add(more);
        return fits;
      },
      give: (less) => add(-less),
    };
  };
  return { free, share };
}
