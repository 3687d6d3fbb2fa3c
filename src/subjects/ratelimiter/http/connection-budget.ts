/**
 * The budget of this process for requests to pods: connections, and the memory of partly received answers, counted as
 * the number of connections that would take as much. All runs share it, and each namespace may have a part of it.
 * Released capacity goes to the run that has waited longest among those that it is enough for.
 */
import type { AnswerMemory } from './answer.ts';

/** What a plain connection of a burst takes with its request, measured with 10,000 of them: 8.3 KiB. */
export const CONNECTION_BYTES = 9 * 1024;

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
  /**
   * Takes `count` connections as soon as that many are free.
   * @throws ConnectionBudgetError if there are never that many; the reason of `signal` once it is aborted
   */
  readonly acquire: (count: number, signal: AbortSignal) => Promise<ConnectionLease>;
  /** Takes `count` connections now; undefined if they would have to wait. */
  readonly tryAcquire: (count: number) => ConnectionLease | undefined;
}

export class ConnectionBudget {
  readonly #most: number;
  readonly #mostByNamespace: number;
  /** Bytes by namespace. */
  readonly #held = new Map<string, number>();
  #total = 0;
  /** Each takes what it waits for, if available; the oldest is first. */
  readonly #waiting = new Set<() => void>();

  /**
   * @param most connections that may be open at once, of all namespaces
   * @param mostByNamespace the same for one namespace
   */
  constructor(most: number, mostByNamespace = most) {
    this.#most = most * CONNECTION_BYTES;
    this.#mostByNamespace = mostByNamespace * CONNECTION_BYTES;
  }

  get free(): number {
    return Math.floor((this.#most - this.#total) / CONNECTION_BYTES);
  }

  /** The share of this namespace. */
  onBehalfOf(namespace: string): ConnectionShare {
    return {
      most: this.#mostByNamespace / CONNECTION_BYTES,
      acquire: async (count, signal) => await this.#acquire(namespace, count, signal),
      tryAcquire: (count) => this.#tryAcquire(namespace, count),
      take: (bytes) => this.#take(namespace, bytes),
      give: (bytes) => this.#give(namespace, bytes),
    };
  }

  async #acquire(namespace: string, count: number, signal: AbortSignal): Promise<ConnectionLease> {
    signal.throwIfAborted();
    const most = this.#mostByNamespace / CONNECTION_BYTES;
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
    if (!this.#take(namespace, bytes)) return undefined;
    const release = (): void => {
      this.#give(namespace, bytes);
      bytes = 0;
    };
    return { release };
  }

  #take(namespace: string, bytes: number): boolean {
    const held = (this.#held.get(namespace) ?? 0) + bytes;
    if (held > this.#mostByNamespace || this.#total + bytes > this.#most) return false;
    this.#held.set(namespace, held);
    this.#total += bytes;
    return true;
  }

  #give(namespace: string, bytes: number): void {
    if (bytes === 0) return;
    const held = (this.#held.get(namespace) ?? 0) - bytes;
    if (held > 0) this.#held.set(namespace, held);
    else this.#held.delete(namespace);
    this.#total -= bytes;
    for (const attempt of this.#waiting) attempt();
  }
}
