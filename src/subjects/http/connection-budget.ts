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
    this.#bytes = new ByteBudget(0, bytes, bytesByNamespace, shared);
    this.#histories = new ByteBudget(1, HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE, shared);
  }

  get free(): number {
    return Math.floor(this.#bytes.free / CONNECTION_BYTES);
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

/** Memory of this process that all runs share, and of which each namespace may have a part. */
class ByteBudget {
  static readonly #KINDS = 2;
  /** Bytes of each thread and kind; each thread adds to its own only. */
  readonly #bytes: Float64Array;
  readonly #kind: number;
  readonly #own: number;
  readonly #most: number;
  readonly #mostByNamespace: number;
  /** Bytes by namespace. */
  readonly #held = new Map<string, number>();

  /** Bytes of all namespaces, and of one. */
  constructor(kind: number, most: number, mostByNamespace: number, shared?: SharedPlace) {
    const { memory, place } = shared ?? { memory: new ArrayBuffer(ByteBudget.#KINDS * 8), place: 0 };
    this.#bytes = new Float64Array(memory);
    this.#kind = kind;
    this.#own = place * ByteBudget.#KINDS + kind;
    this.#most = most;
    this.#mostByNamespace = mostByNamespace;
    // What an ended thread had in this place is free.
    this.#bytes[this.#own] = 0;
  }

  get free(): number {
    const ofKind = this.#bytes.filter((_, i) => i % ByteBudget.#KINDS === this.#kind);
    return this.#most - sumOf(ofKind);
  }

  /** The part of one namespace. */
  share(namespace: string): Memory {
    const held = (): number => this.#held.get(namespace) ?? 0;
    const add = (bytes: number): void => {
      this.#held.set(namespace, held() + bytes);
      if (held() === 0) this.#held.delete(namespace);
      this.#bytes[this.#own] = (this.#bytes[this.#own] ?? 0) + bytes;
    };
    return {
      take: (bytes) => {
        const fits = held() + bytes <= this.#mostByNamespace && bytes <= this.free;
        if (fits) add(bytes);
        return fits;
      },
      give: (bytes) => add(-bytes),
    };
  }
}
