/**
 * Which runs of this process send requests to which pods. If a limiter identifies callers by the source address only, a
 * run on it shares its limit with every other run on the same pods, whatever Redis those name. Such a run has the pods
 * for itself.
 */

/** A run that sends requests to pods. */
export interface PodUser {
  readonly uid: string;
  /** `namespace/name`, shown to runs that wait. */
  readonly name: string;
  /** Uids of the pods. */
  readonly pods: readonly string[];
  /** Whether all its requests are of one caller: the address of this process. */
  readonly byAddress: boolean;
}

export class PodsInUse {
  readonly #asking = new Map<string, PodUser>();

  /** The name of a run that has to end first; undefined: there is none, or `asking` is already active. */
  inTheWayOf({ byAddress, pods, uid }: PodUser): string | undefined {
    if (this.#asking.has(uid)) return undefined;
    for (const other of this.#asking.values()) {
      if ((byAddress || other.byAddress) && other.pods.some((pod) => pods.includes(pod))) return other.name;
    }
    return undefined;
  }

  enter(asking: PodUser): void {
    this.#asking.set(asking.uid, asking);
  }

  /** A run that has begun again under the same uid stays. */
  leave(asking: PodUser): void {
    if (this.#asking.get(asking.uid) === asking) this.#asking.delete(asking.uid);
  }
}
