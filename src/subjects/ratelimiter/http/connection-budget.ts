/**
 * The budget of this process for requests to pods: connections, and the memory of partly received answers, counted as
 * the number of connections that would take as much; and the memory of histories. All runs share it, and each namespace may have a part of it.
 * Released capacity goes to the run that has waited longest among those that it is enough for.
 */

import type { HistoryMemory } from '../history/history.ts';
import type { AnswerMemory } from './answer.ts';
import { ByteBudget } from './byte-budget.ts';

/** What a plain connection of a burst takes with its request, measured with 10,000 of them: 8.3 KiB. */
export const CONNECTION_BYTES = 9 * 1024;

/** Bytes that the histories of all runs take, and those of one namespace: its largest history, and half of another. */
const [HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE] = [96 * 1024 * 1024, 48 * 1024 * 1024];

/** The budget never has this many connections. */
export class ConnectionBudgetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConnectionBudgetError';
  }
}

export interface ConnectionLease {
  /** Gives them back; further calls have no effect. */
  readonly release: () => void;
}

/** A connection for one more open request, to be given back; undefined: none is free, and the request is left out. */
export type TrafficRoom = () => ConnectionLease | undefined;

/** What one namespace may have of a budget; memory for an answer is taken at once, or not at all. */
export interface ConnectionShare extends AnswerMemory {
  /** Connections that the namespace may have at once. */
  readonly most: number;
  /** For the histories of its runs. */
  readonly history: HistoryMemory;
  /**
   * Takes `count` connections as soon as that many are free.
   * @throws ConnectionBudgetError if there are never that many; the reason of `signal` once it is aborted
   */
  readonly acquire: (count: number, signal: AbortSignal) => Promise<ConnectionLease>;
  /** Takes `count` connections now; undefined if they would have to wait. */
  readonly tryAcquire: (count: number) => ConnectionLease | undefined;
}

export class ConnectionBudget {
  readonly #mostByNamespace: number;
  readonly #bytes: ByteBudget;
  readonly #histories = new ByteBudget(HISTORY_BYTES, HISTORY_BYTES_OF_NAMESPACE);
  /** Each takes what it waits for, if available; the oldest is first. */
  readonly #waiting = new Set<() => void>();

  /**
   * @param most connections that may be open at once, of all namespaces
   * @param mostByNamespace the same for one namespace
   */
  constructor(most: number, mostByNamespace = most) {
    this.#mostByNamespace = mostByNamespace;
    this.#bytes = new ByteBudget(most * CONNECTION_BYTES, mostByNamespace * CONNECTION_BYTES);
  }

  get free(): number {
    return Math.floor(this.#bytes.free / CONNECTION_BYTES);
  }

  /** The share of this namespace. */
  onBehalfOf(namespace: string): ConnectionShare {
    return {
      most: this.#mostByNamespace,
      history: {
        take: (bytes) => this.#histories.take(namespace, bytes),
        give: (bytes) => this.#histories.give(namespace, bytes),
      },
      acquire: async (count, signal) => await this.#acquire(namespace, count, signal),
      tryAcquire: (count) => this.#tryAcquire(namespace, count),
      take: (bytes) => this.#bytes.take(namespace, bytes),
      give: (bytes) => this.#give(namespace, bytes),
    };
  }

  async #acquire(namespace: string, count: number, signal: AbortSignal): Promise<ConnectionLease> {
    signal.throwIfAborted();
    const most = this.#mostByNamespace;
    if (count > most) {
      throw new ConnectionBudgetError(
        `${count} connections are needed at once, and the runs of one namespace may open ${most}: send fewer requests`,
      );
    }
    return await new Promise<ConnectionLease>((resolve, reject) => {
      const attempt = (): void => {
        const lease = this.#tryAcquire(namespace, count);
        if (!lease) return;
        end();
        resolve(lease);
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const end = (): void => {
        this.#waiting.delete(attempt);
        signal.removeEventListener('abort', onAbort);
      };
      this.#waiting.add(attempt);
      signal.addEventListener('abort', onAbort, { once: true });
      attempt();
    });
  }

  #tryAcquire(namespace: string, count: number): ConnectionLease | undefined {
    let bytes = count * CONNECTION_BYTES;
    if (!this.#bytes.take(namespace, bytes)) return undefined;
    const release = (): void => {
      this.#give(namespace, bytes);
      bytes = 0;
    };
    return { release };
  }

  #give(namespace: string, bytes: number): void {
    if (bytes === 0) return;
    this.#bytes.give(namespace, bytes);
    for (const attempt of this.#waiting) attempt();
  }
}
