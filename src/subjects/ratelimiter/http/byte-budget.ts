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

  /** @returns false: not available, and nothing was taken */
  take(namespace: string, bytes: number): boolean {
    const held = (this.#held.get(namespace) ?? 0) + bytes;
    if (held > this.#mostByNamespace || this.#total + bytes > this.#most) return false;
    this.#held.set(namespace, held);
    this.#total += bytes;
    return true;
  }

  give(namespace: string, bytes: number): void {
    const held = (this.#held.get(namespace) ?? 0) - bytes;
    if (held > 0) this.#held.set(namespace, held);
    else this.#held.delete(namespace);
    this.#total -= bytes;
  }
}
