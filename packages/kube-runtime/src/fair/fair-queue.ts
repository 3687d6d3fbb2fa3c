/**
 * A fair queue: within a group first in, first out, and between groups one in turn. A new item waits for at most one
 * item of each other group, however many those have.
 */

/** Items by group; an item is in its group at most once. */
export class FairQueue<T> {
  /** In the sequence of their turns; none is empty. */
  readonly #groups = new Map<string, Set<T>>();
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Items of one group that wait. */
  sizeOf(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /** Appends an item to its group; an item already queued keeps its place. */
  push(group: string, item: T): void {
    const items = this.#groups.get(group) ?? new Set();
    if (items.has(item)) return;
    this.#groups.set(group, items.add(item));
    this.#size += 1;
  }

  /**
   * Takes the first item of the group whose turn it is, skipping groups that may not go now.
   * @param mayGo called with the first item of a group
   */
  shift(mayGo: (group: string, first: T) => boolean = () => true): T | undefined {
    for (const [group, items] of this.#groups) {
      const [item] = items;
      if (!mayGo(group, item as T)) continue;
      this.#groups.delete(group);
      this.#groups.set(group, items);
      this.delete(group, item as T);
      return item;
    }
    return undefined;
  }

  /** Removes an item; returns whether it was queued. */
  delete(group: string, item: T): boolean {
    const items = this.#groups.get(group);
    if (!items?.delete(item)) return false;
    this.#size -= 1;
    if (items.size === 0) this.#groups.delete(group);
    return true;
  }

  clear(): void {
    this.#groups.clear();
    this.#size = 0;
  }
}
