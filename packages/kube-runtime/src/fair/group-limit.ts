/** Bounds concurrent work, in total and per group. */
import pLimit, { type LimitFunction } from 'p-limit';
import { abortable } from './abortable.ts';

export interface GroupLimitOptions {
  /** In total. */
  readonly max: number;
  /** Per group. */
  readonly maxPerGroup: number;
}

/**
 * A limit for work of many groups. The group's limit comes first, so few of each group wait for the common one, and
 * work of another group waits for no more than these.
 */
export class GroupLimit {
  readonly #maxPerGroup: number;
  readonly #all: LimitFunction;
  readonly #byGroup = new Map<string, LimitFunction>();

  constructor({ max, maxPerGroup }: GroupLimitOptions) {
    this.#maxPerGroup = maxPerGroup;
    this.#all = pLimit(max);
  }

  /**
   * Runs `work` when it is its turn, and settles as it does.
   * @throws the reason of `signal` as soon as it aborts; running work has to handle the signal itself
   */
  async run<T>(group: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const inTurn = async (): Promise<T> => {
      signal.throwIfAborted();
      return await work();
    };
    signal.throwIfAborted();
    return await abortable(this.#run(group, inTurn), signal);
  }

  async #run<T>(group: string, work: () => Promise<T>): Promise<T> {
    const limit = this.#byGroup.get(group) ?? pLimit(this.#maxPerGroup);
    this.#byGroup.set(group, limit);
    try {
      return await limit(async () => await this.#all(work));
    } finally {
      if (limit.activeCount + limit.pendingCount === 0) this.#byGroup.delete(group);
    }
  }
}
