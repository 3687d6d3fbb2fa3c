/**
 * Which runs of this process ask which pods. One on a limiter that knows its callers by the source address alone shares
 * its limit with every other run that asks the same pods, whatever Redis those name: so it has them for itself.
 */

/** Who asks pods, and how. */
export interface Asking {
  readonly uid: string;
  /** `namespace/name`, for those that wait. */
  readonly name: string;
  /** Uids of the pods. */
  readonly pods: readonly string[];
  /** Whether all its requests are of one caller: the address of this process. */
  readonly byAddress: boolean;
}

export class PodsInUse {
  readonly #asking = new Map<string, Asking>();

  /** The name of a run that has to end first; undefined: none has, or `asking` is on already. */
  inTheWayOf({ byAddress, pods, uid }: Asking): string | undefined {
    if (this.#asking.has(uid)) return undefined;
    for (const other of this.#asking.values()) {
      if ((byAddress || other.byAddress) && other.pods.some((pod) => pods.includes(pod))) return other.name;
    }
    return undefined;
  }

  enter(asking: Asking): void {
    this.#asking.set(asking.uid, asking);
  }

  /** One that has begun again under the same uid stays. */
  leave(asking: Asking): void {
    if (this.#asking.get(asking.uid) === asking) this.#asking.delete(asking.uid);
  }
}
