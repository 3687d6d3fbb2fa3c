/**
 * The budget of this process for requests to pods: connections, and the memory of partly received answers, counted as
 * the number of connections that would take as much; and the memory of histories. All runs share it, and each namespace may have a part of it.
 * Released capacity goes to the run that has waited longest among those that it is enough for.
 */
import type { SharedPlace } from '../../engine/subject.ts';
import { sumOf } from '../history/counts.ts';
import type { HistoryMemory } from '../history/history.ts';
import type { AnswerMemory } from './answer.ts';

/** What a plain connection of a burst takes with its request, measured with 10,000 of them: 8.3 KiB. */
export const CONNECTION_BYTES = 9 * 1024;

/** Bytes that the histories of all runs take, and those of one namespace: its largest history, and half of another. */
const [HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE] = [96 * 1024 * 1024, 48 * 1024 * 1024];

/** How often those who wait look whether another thread has given something back, in milliseconds. */
const RETRY_MS = 50;

/** The budget never has this many connections. */
export class ConnectionBudgetError extends Error {
  override readonly name = 'ConnectionBudgetError';
}

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
  /** Each takes what it waits for, if available; the oldest is first. */
  readonly #waiting = new Set<() => void>();

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
    if (shared) setInterval(() => this.#retry(), RETRY_MS).unref();
  }

  get free(): number {
    return Math.floor(this.#bytes.free / CONNECTION_BYTES);
  }

  /** The share of this namespace. */
  onBehalfOf(namespace: string): ConnectionShare {
    const answers = this.#bytes.share(namespace, () => this.#retry());
    const history = this.#histories.share(namespace);
    return new ConnectionShare(answers, history, this.#mostByNamespace, this.#waiting);
  }

  #retry(): void {
    for (const attempt of this.#waiting) attempt();
  }
}

/** What one namespace may have of a budget; memory for an answer is taken at once, or not at all. */
export class ConnectionShare implements AnswerMemory {
  readonly take: AnswerMemory['take'];
  readonly give: AnswerMemory['give'];
  /** For the histories of its runs. */
  readonly history: HistoryMemory;
  /** Connections that the namespace may have at once. */
  readonly most: number;
  readonly #waiting: Set<() => void>;

  constructor(answers: AnswerMemory, history: HistoryMemory, most: number, waiting: Set<() => void>) {
    this.take = answers.take;
    this.give = answers.give;
    this.history = history;
    this.most = most;
    this.#waiting = waiting;
  }

  /**
   * Takes `count` connections as soon as that many are free.
   * @throws ConnectionBudgetError if there are never that many; the reason of `signal` once it is aborted
   */
  async acquire(count: number, signal: AbortSignal): Promise<ConnectionLease> {
    signal.throwIfAborted();
    if (count > this.most) {
      throw new ConnectionBudgetError(
        `${count} connections are needed at once, and the runs of one namespace may open ${this.most}: send fewer requests`,
      );
    }
    const { promise, reject, resolve } = Promise.withResolvers<ConnectionLease>();
    const attempt = (): void => {
      const lease = this.tryAcquire(count);
      if (!lease) return;
      this.#waiting.delete(attempt);
      resolve(lease);
    };
    const onAbort = (): void => {
      this.#waiting.delete(attempt);
      reject(signal.reason as Error);
    };
    this.#waiting.add(attempt);
    signal.addEventListener('abort', onAbort, { once: true });
    attempt();
    return await promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Takes `count` connections now; undefined if they would have to wait. */
  tryAcquire(count: number): ConnectionLease | undefined {
    let bytes = count * CONNECTION_BYTES;
    if (!this.take(bytes)) return undefined;
    const release = (): void => {
      this.give(bytes);
      bytes = 0;
    };
    return { release };
  }
}

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

  /** The part of one namespace. @param onGiven something was given back */
  share(namespace: string, onGiven = (): void => undefined): AnswerMemory {
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
      give: (bytes) => {
        if (bytes === 0) return;
        add(-bytes);
        onGiven();
      },
    };
  }
}
