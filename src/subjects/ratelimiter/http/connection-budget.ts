/** How many connections the bursts of this process may hold together: each costs memory and a file descriptor. */
import { readdir, readFile } from 'node:fs/promises';

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

interface Waiting {
  readonly count: number;
  readonly grant: () => void;
}

export class ConnectionBudget {
  /** How many there are in all. */
  readonly total: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  /** @param total connections that may be open at once */
  constructor(total: number) {
    this.total = total;
    this.#free = total;
  }

  get free(): number {
    return this.#free;
  }

  /**
   * Takes `count` connections as soon as they are free; whoever asked first gets them first.
   * @throws ConnectionBudgetError when there are never so many; the reason of `signal` once it is aborted
   */
  async acquire(count: number, signal: AbortSignal): Promise<ConnectionLease> {
    signal.throwIfAborted();
    if (count > this.total) {
      throw new ConnectionBudgetError(
        `${count} connections are needed at once, and this process may open ${this.total}: send fewer requests`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
        // What waited behind it may be smaller.
        this.#grant();
      };
      const waiting: Waiting = {
        count,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiting);
      this.#grant();
    });
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      this.#free += count;
      this.#grant();
    };
    // Granted because another one gave up for the same reason.
    if (signal.aborted) release();
    signal.throwIfAborted();
    return { release };
  }

  #grant(): void {
    for (let next = this.#waiting[0]; next && next.count <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.count;
      next.grant();
    }
  }
}

/** How many more files this process may open; undefined where the system does not tell (it does on Linux). */
export async function freeFileDescriptors(): Promise<number | undefined> {
  try {
    const [limits, open] = await Promise.all([
      readFile('/proc/self/limits', 'utf8'),
      readdir('/proc/self/fd'),
    ]);
    const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return limit === undefined ? undefined : Number(limit) - open.length;
  } catch {
    return undefined;
  }
}
