/**
 * The budget of this process for requests to pods: connections, and the memory of partly received answers, counted as
 * the number of connections that would take as much; and the memory of histories. All runs share it, and each namespace may have a part of it.
 * Released capacity goes to the run that has waited longest among those that it is enough for.
 */
import type { SharedPlace } from '../../engine/subject.ts';
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
    const [connections, histories] = [new SharedCount(0, shared), new SharedCount(1, shared)];
    this.#mostByNamespace = mostByNamespace;
    this.#bytes = new ByteBudget(connections, most * CONNECTION_BYTES, mostByNamespace * CONNECTION_BYTES);
    this.#histories = new ByteBudget(histories, HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE);
    if (shared) setInterval(() => this.#retry(), RETRY_MS).unref();
  }

  get free(): number {
    return Math.floor(this.#bytes.free / CONNECTION_BYTES);
  }

  /** The share of this namespace. */
  onBehalfOf(namespace: string): ConnectionShare {
    const bytes = this.#bytes.share(namespace);
    const give = (released: number): void => {
      if (released === 0) return;
      bytes.give(released);
      this.#retry();
    };
    const history = this.#histories.share(namespace);
    return new ConnectionShare({ take: bytes.take, give }, history, this.#mostByNamespace, this.#waiting);
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

/** A number of bytes that the threads of a process have together; each adds to its own part only. */
class SharedCount {
  static readonly #KINDS = 2;
  readonly #parts: Float64Array;
  readonly #kind: number;
  readonly #own: number;

  constructor(kind: number, shared?: SharedPlace) {
    const { memory, place } = shared ?? { memory: new ArrayBuffer(SharedCount.#KINDS * 8), place: 0 };
    this.#parts = new Float64Array(memory);
    this.#kind = kind;
    this.#own = place * SharedCount.#KINDS + kind;
    // What an ended thread had in this place is free.
    this.#parts[this.#own] = 0;
  }

  get total(): number {
    return this.#parts.reduce(
      (sum, bytes, i) => (i % SharedCount.#KINDS === this.#kind ? sum + bytes : sum),
      0,
    );
  }

  add(bytes: number): void {
    this.#parts[this.#own] = (this.#parts[this.#own] ?? 0) + bytes;
  }
}

/** Memory of this process that all runs share, and of which each namespace may have a part. */
class ByteBudget {
  readonly #count: SharedCount;
  readonly #most: number;
  readonly #mostByNamespace: number;
  /** Bytes by namespace. */
  readonly #held = new Map<string, number>();

  /** Bytes of all namespaces, and of one. */
  constructor(count: SharedCount, most: number, mostByNamespace: number) {
    this.#count = count;
    this.#most = most;
    this.#mostByNamespace = mostByNamespace;
  }

  get free(): number {
    return this.#most - this.#count.total;
  }

  /** The part of one namespace. */
  share(namespace: string): AnswerMemory {
    const held = (): number => this.#held.get(namespace) ?? 0;
    const add = (bytes: number): void => {
      this.#held.set(namespace, held() + bytes);
      if (held() === 0) this.#held.delete(namespace);
      this.#count.add(bytes);
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
