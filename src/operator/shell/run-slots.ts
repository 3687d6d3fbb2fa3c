/**
 * Limits concurrent runs: each holds connections and memory of this process, so the slots are limited in total and per
 * namespace. Without a free slot, an object waits in its namespace, first come, first served, and the namespaces take
 * turns. An active run keeps its slot whatever the limits: it has to be continued or undone.
 */

import { namespaceOf } from '@chaosdemo/kube-runtime';
import { FairQueue } from '@chaosdemo/kube-runtime/fair';
import { counted } from '../../api/index.ts';

export interface RunLimits {
  /** Most active runs, in all and per namespace. */
  readonly maxRuns: number;
  readonly maxRunsPerNamespace: number;
}

/** Slots for runs, by the key (`namespace/name`) of their object. */
export class RunSlots {
  readonly #limits: RunLimits;
  readonly #onSlotFree: (key: string) => void;
  /** Those that have a slot, and whether they need it: not once their run is over, while the session is still closing. */
  readonly #byNamespace = new Map<string, Map<string, boolean>>();
  readonly #waiting = new FairQueue<string>();

  /** @param onSlotFree called with the key of an object that waited and has a slot now */
  constructor(limits: RunLimits, onSlotFree: (key: string) => void) {
    this.#limits = limits;
    this.#onSlotFree = onSlotFree;
  }

  /** Whether no object has a slot. */
  get isEmpty(): boolean {
    return this.#byNamespace.size === 0;
  }

  /** Objects that wait for a slot. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Why no run of this object may begin now, in a sentence; undefined: it has a slot, or one is free. */
  obstacle(key: string): string | undefined {
    const { maxRuns, maxRunsPerNamespace } = this.#limits;
    const namespace = namespaceOf(key);
    if (this.#needs(key)) return undefined;
    const here = this.#in(namespace);
    const all = this.#total();
    const wait = (count: number, of: string, limit: string): string =>
      `Waiting: ${counted(count, 'run')} of ${of} ${count === 1 ? 'is' : 'are'} active or about to begin, and the limit ${limit}. This run begins automatically when there is room`;
    if (here >= maxRunsPerNamespace) {
      const limit = `for one namespace is ${maxRunsPerNamespace} (--max-runs-per-namespace)`;
      return wait(here, `namespace ${namespace}`, limit);
    }
    return all >= maxRuns ? wait(all, 'all namespaces', `is ${maxRuns} (--max-runs)`) : undefined;
  }

  /** Takes a slot for this object, even beyond the limits. */
  acquire(key: string): void {
    const namespace = namespaceOf(key);
    this.#waiting.delete(namespace, key);
    this.#byNamespace.set(namespace, (this.#byNamespace.get(namespace) ?? new Map()).set(key, true));
  }

  /** Appends an object to the queue of its namespace, unless it is queued already. */
  enqueue(key: string): void {
    if (this.#needs(key)) return;
    this.#waiting.push(namespaceOf(key), key);
    this.#grantSlots();
  }

  /** The object no longer needs its slot; it is free once `ended` is called. */
  end(key: string): void {
    const namespace = namespaceOf(key);
    this.#waiting.delete(namespace, key);
    if (this.#needs(key)) this.#byNamespace.get(namespace)?.set(key, false);
  }

  /** The session of a finished run is closed. An object that has begun another run since keeps its slot. */
  ended(key: string): void {
    if (this.#needs(key) === false) this.#free(key);
  }

  /** Gives up a slot, or the place in the queue, at once. */
  release(key: string): void {
    this.#waiting.delete(namespaceOf(key), key);
    this.#free(key);
  }

  #free(key: string): void {
    const namespace = namespaceOf(key);
    const taken = this.#byNamespace.get(namespace);
    if (!taken?.delete(key)) return;
    if (taken.size === 0) this.#byNamespace.delete(namespace);
    this.#grantSlots();
  }

  #grantSlots(): void {
    const { maxRuns, maxRunsPerNamespace } = this.#limits;
    while (this.#total() < maxRuns) {
      const key = this.#waiting.shift((namespace) => this.#in(namespace) < maxRunsPerNamespace);
      if (key === undefined) return;
      this.acquire(key);
      this.#onSlotFree(key);
    }
  }

  /** Whether an object needs the slot that it has; undefined: it has none. */
  #needs(key: string): boolean | undefined {
    return this.#byNamespace.get(namespaceOf(key))?.get(key);
  }

  #in(namespace: string): number {
    return this.#byNamespace.get(namespace)?.size ?? 0;
  }

  /** A namespace counts at most as its limit: runs forged in statuses there take no slots of others. */
  #total(): number {
    let total = 0;
    for (const { size } of this.#byNamespace.values())
      total += Math.min(size, this.#limits.maxRunsPerNamespace);
    return total;
  }
}
