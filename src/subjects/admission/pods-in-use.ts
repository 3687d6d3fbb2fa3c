/**
 * Which runs of this process send requests to which pods, and how many. If a limiter identifies callers by the source
 * address only, a run on it shares its limit with every other run on the same pods, whatever Redis those name: such a run
 * has the pods for itself. Steady traffic takes the time of the process, which all namespaces share.
 */

/** Requests per second that the runs of one namespace may send together: as many as one run may. */
const MOST_OF_NAMESPACE = 1000;
/** The same for all runs of this process: about half the time of one processor. */
const MOST_OF_PROCESS = 2000;

/** A run that sends requests to pods. */
export interface PodUser {
  readonly uid: string;
  readonly namespace: string;
  /** `namespace/name`, shown to runs that wait. */
  readonly name: string;
  /** Uids of the pods. */
  readonly pods: readonly string[];
  /** Whether all its requests are of one caller: the address of this process. */
  readonly byAddress: boolean;
  /** Of its busiest steady traffic. */
  readonly requestsPerSecond: number;
}

/** Why a run waits: for the pods that another has, or until there is room for its traffic. */
export interface Obstacle {
  readonly reason: 'PodsInUse' | 'TrafficLimit';
  readonly message: string;
}

export class PodsInUse {
  readonly #asking = new Map<string, PodUser>();

  /** What has to end first; undefined: nothing, or `asking` is already active. */
  inTheWayOf(asking: PodUser): Obstacle | undefined {
    if (this.#asking.has(asking.uid)) return undefined;
    const others = [...this.#asking.values()];
    const { byAddress, namespace, pods } = asking;
    const user = others.find(
      (other) => (byAddress || other.byAddress) && other.pods.some((pod) => pods.includes(pod)),
    );
    if (user) {
      const message = `${user.name} sends requests to the same pods, and a limiter that identifies callers only by the source address sees both as one caller; this one starts when that one has ended`;
      return { reason: 'PodsInUse', message };
    }
    const ofNamespace = others.filter((other) => other.namespace === namespace);
    return (
      noRoomFor(asking, ofNamespace, MOST_OF_NAMESPACE, ' for one namespace') ??
      noRoomFor(asking, others, MOST_OF_PROCESS)
    );
  }

  enter(asking: PodUser): void {
    this.#asking.set(asking.uid, asking);
  }

  /** A run that has begun again under the same uid stays. */
  leave(asking: PodUser): void {
    if (this.#asking.get(asking.uid) === asking) this.#asking.delete(asking.uid);
  }
}

function noRoomFor(
  { requestsPerSecond }: PodUser,
  others: readonly PodUser[],
  most: number,
  of = '',
): Obstacle | undefined {
  const sent = others.reduce((sum, other) => sum + other.requestsPerSecond, 0);
  if (requestsPerSecond === 0 || sent + requestsPerSecond <= most) return undefined;
  const message = `this run sends up to ${requestsPerSecond} requests per second, other runs send ${sent}, and the operator sends at most ${most} at a time${of}; this one starts when there is room`;
  return { reason: 'TrafficLimit', message };
}
