/**
 * Lets so much work go on at once, and the rest wait its turn: groups take turns,
 * and none of them has more than its share at work.
 */
import { FairQueue } from './fair-queue.ts';

/** How much may be at work. */
export interface FairGateOptions {
  /** In all. */
  readonly most: number;
  /** Of one group. */
  readonly mostByGroup: number;
}

interface Waiter {
  readonly group: string;
  readonly enter: () => void;
}

/** A gate for work of many groups. */
export class FairGate {
  readonly #options: FairGateOptions;
  readonly #atWork = new Map<string, number>();
  readonly #waiting = new FairQueue<Waiter>();
  #total = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
  }

  /** Work under way. */
  get atWork(): number {
    return this.#total;
  }

  /**
   * Runs `work` when it is its turn, and settles as it does.
   * @throws the reason of `signal`, if it aborts before the turn came; what is at work has to heed it itself
   */
  async run<T>(group: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(group, signal);
    try {
      return await work();
    } finally {
      this.#leave(group);
    }
  }

  #enter(group: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const giveUp = (): void => {
        this.#waiting.delete(group, waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        group,
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(group, waiter);
      this.#letIn();
    });
  }

  #letIn(): void {
    const { most, mostByGroup } = this.#options;
    while (this.#total < most) {
      const next = this.#waiting.shift((group) => (this.#atWork.get(group) ?? 0) < mostByGroup);
      if (!next) return;
      this.#total += 1;
      this.#atWork.set(next.group, (this.#atWork.get(next.group) ?? 0) + 1);
      next.enter();
    }
  }

  #leave(group: string): void {
    const left = (this.#atWork.get(group) ?? 0) - 1;
    this.#total -= 1;
    if (left > 0) this.#atWork.set(group, left);
    else this.#atWork.delete(group);
    this.#letIn();
  }
}
