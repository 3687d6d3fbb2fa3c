import type { AnswerMemory } from './answer.ts';

/** Memory of this process that all runs share, and of which each namespace may have a part. */
export class ByteBudget {
  readonly #most: number;
  readonly #mostByNamespace: number;
  /** Bytes by namespace. */
  readonly #held = new Map<string, number>();
  #total = 0;

  /** Bytes of all namespaces, and of one. */
  constructor(most: number, mostByNamespace: number) {
    this.#most = most;
    this.#mostByNamespace = mostByNamespace;
  }

  get free(): number {
    return this.#most - this.#total;
  }

  /** The part of one namespace. */
  share(namespace: string): AnswerMemory {
    const held = (): number => this.#held.get(namespace) ?? 0;
    const add = (bytes: number): void => {
      this.#held.set(namespace, held() + bytes);
      if (held() === 0) this.#held.delete(namespace);
      this.#total += bytes;
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
