/**
 * What this process spends on speaking to nodes: connections, and the memory of answers of which a part has come,
 * counted as the connections that would take as much. All runs share it, fairly between namespaces: each has some for
 * itself, and may have more of what is common to all. For that namespaces take turns.
 */
import { FairQueue } from '../../../fair/fair-queue.ts';
import type { AnswerMemory } from './response-reader.ts';

/** What a plain connection of a burst takes with its request, measured with 10,000 of them: 8.3 KiB. */
export const CONNECTION_BYTES = 9 * 1024;

/** So many connections are never free at once. */
export class ConnectionBudgetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConnectionBudgetError';
  }
}

/** Connections that were granted. */
export interface ConnectionLease {
  /** Gives them back; further calls do nothing. */
  readonly release: () => void;
}

/** How connections are shared. */
export interface ConnectionShares {
  /** Of one namespace; default: all. */
  readonly mostByNamespace?: number;
  /** Of these, how many a namespace has for itself: they do not wait for what others hold of the rest. Default: none. */
  readonly own?: number;
  /** For how many namespaces these are kept; what is left is common to all. Default: one. */
  readonly namespaces?: number;
}

/** What one namespace may have of a budget; what an answer takes is taken at once, or not at all. */
export interface ConnectionShare extends AnswerMemory {
  /** Connections that the namespace may have at once. */
  readonly most: number;
  /** Of these, how many it has for itself. */
  readonly own: number;
  /**
   * Takes `count` connections as soon as it is their turn.
   * @throws ConnectionBudgetError when there are never so many; the reason of `signal` once it is aborted
   */
  readonly acquire: (count: number, signal: AbortSignal) => Promise<ConnectionLease>;
  /** Takes `count` connections now; undefined where they would have to wait. */
  readonly tryAcquire: (count: number) => ConnectionLease | undefined;
  /** Whether `count` would have to wait for connections that this very namespace holds. */
  readonly isUsedUpBy: (count: number) => boolean;
}

interface Waiting {
  readonly namespace: string;
  readonly bytes: number;
  /** What had been given of the common part when it began to wait. */
  readonly since: number;
  readonly grant: (lease: ConnectionLease) => void;
}

export class ConnectionBudget {
  readonly #most: number;
  readonly #share: number;
  readonly #own: number;
  /** Bytes that namespaces may hold together beyond their own. */
  readonly #mostCommon: number;
  /** Bytes by namespace. */
  readonly #held = new Map<string, number>();
  #total = 0;
  /** Bytes that namespaces hold beyond their own. */
  #common = 0;
  /** Bytes of the common part that were ever given for connections. */
  #given = 0;
  readonly #turns = new FairQueue<Waiting>();
  readonly #waiting = new Set<Waiting>();

  /** @param most connections that may be open at once, of all namespaces */
  constructor(most: number, { mostByNamespace = most, namespaces = 1, own = 0 }: ConnectionShares = {}) {
    this.#most = most * CONNECTION_BYTES;
    this.#share = mostByNamespace * CONNECTION_BYTES;
    this.#own = own * CONNECTION_BYTES;
    this.#mostCommon = this.#most - namespaces * this.#own;
  }

  /** Connections that nobody holds. */
  get free(): number {
    return Math.floor((this.#most - this.#total) / CONNECTION_BYTES);
  }

  /** What runs of this namespace may have. */
  onBehalfOf(namespace: string): ConnectionShare {
    return {
      most: this.#share / CONNECTION_BYTES,
      own: this.#own / CONNECTION_BYTES,
      acquire: async (count, signal) => await this.#acquire(namespace, count, signal),
      tryAcquire: (count) => this.#tryAcquire(namespace, count * CONNECTION_BYTES),
      isUsedUpBy: (count) => !this.#isWithinShare(namespace, count * CONNECTION_BYTES),
      take: (bytes) => {
        // Whoever waits began later than what is being answered.
        if (!this.#fits(namespace, bytes)) return false;
        this.#add(namespace, bytes);
        return true;
      },
      give: (bytes) => this.#add(namespace, -bytes),
    };
  }

  async #acquire(namespace: string, count: number, signal: AbortSignal): Promise<ConnectionLease> {
    signal.throwIfAborted();
    const bytes = count * CONNECTION_BYTES;
    if (bytes > this.#share) {
      throw new ConnectionBudgetError(
        `${count} connections are needed at once, and the runs of one namespace may open ${this.#share / CONNECTION_BYTES}: send fewer requests`,
      );
    }
    const lease = await new Promise<ConnectionLease>((resolve, reject) => {
      const onAbort = (): void => {
        this.#turns.delete(namespace, waiting);
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
        // What waited behind it may be smaller.
        this.#grant();
      };
      const waiting: Waiting = {
        namespace,
        bytes,
        since: this.#given,
        grant: (lease) => {
          signal.removeEventListener('abort', onAbort);
          resolve(lease);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#turns.push(namespace, waiting);
      this.#waiting.add(waiting);
      this.#grant();
    });
    // Granted because another one gave up for the same reason.
    if (signal.aborted) lease.release();
    signal.throwIfAborted();
    return lease;
  }

  #tryAcquire(namespace: string, bytes: number): ConnectionLease | undefined {
    if (!this.#fits(namespace, bytes)) return undefined;
    if (this.#beyondOwn(namespace, bytes) > 0 && this.#somebodyIsDue) return undefined;
    return this.#lease(namespace, bytes);
  }

  #lease(namespace: string, bytes: number): ConnectionLease {
    this.#given += this.#beyondOwn(namespace, bytes);
    this.#add(namespace, bytes);
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      // It has just had what it now waits for again.
      this.#turns.passTurn(namespace);
      this.#add(namespace, -bytes);
    };
    return { release };
  }

  /** Gives to those that wait what there is, in the order of their turns; whoever finds too little is passed over. */
  #grant(): void {
    for (;;) {
      const due = this.#somebodyIsDue;
      const next = this.#turns.shift(
        (namespace, waiting) =>
          this.#fits(namespace, waiting.bytes) &&
          (!due || this.#beyondOwn(namespace, waiting.bytes) === 0 || this.#isDue(waiting)),
      );
      if (!next) return;
      this.#waiting.delete(next);
      next.grant(this.#lease(next.namespace, next.bytes));
    }
  }

  get #somebodyIsDue(): boolean {
    for (const waiting of this.#waiting) if (this.#isDue(waiting)) return true;
    return false;
  }

  /** Whether it was passed over until others had been given as much as one namespace may have: now they wait for it. */
  #isDue({ bytes, namespace, since }: Waiting): boolean {
    return this.#given - since >= this.#share && this.#isWithinShare(namespace, bytes);
  }

  #fits(namespace: string, bytes: number): boolean {
    return (
      this.#isWithinShare(namespace, bytes) &&
      this.#total + bytes <= this.#most &&
      this.#common + this.#beyondOwn(namespace, bytes) <= this.#mostCommon
    );
  }

  #isWithinShare(namespace: string, bytes: number): boolean {
    return (this.#held.get(namespace) ?? 0) + bytes <= this.#share;
  }

  /** How much of the common part `bytes` more would take; negative where they are given back. */
  #beyondOwn(namespace: string, bytes: number): number {
    const held = this.#held.get(namespace) ?? 0;
    return Math.max(0, held + bytes - this.#own) - Math.max(0, held - this.#own);
  }

  #add(namespace: string, bytes: number): void {
    const held = (this.#held.get(namespace) ?? 0) + bytes;
    this.#common += this.#beyondOwn(namespace, bytes);
    this.#total += bytes;
    if (held > 0) this.#held.set(namespace, held);
    else this.#held.delete(namespace);
    if (bytes < 0) this.#grant();
  }
}
