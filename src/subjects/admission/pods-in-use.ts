/**
 * Which runs of this process send requests to which pods, and how many. If a limiter identifies callers by the source
 * address only, a run on it shares its limit with every other run on the same pods, whatever Redis those name: such a run
 * has the pods for itself. Steady traffic takes the time of the process, which all namespaces share.
 */
import { sumOf } from '../history/counts.ts';
import { waitFor } from '../targets/refusal.ts';

/** Requests per second that the runs of one namespace may send together: as many as one run may. */
const MOST_OF_NAMESPACE = 1000;
/** The same for all runs of this cell: about half the time of one processor. */
const MOST_OF_CELL = 2000;

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

export class PodsInUse {
  readonly #asking = new Map<string, PodUser>();

  /** @throws {Refusal} PodsInUse or TrafficLimit while another run has to end first */
  requireFree(asking: PodUser): void {
    if (this.#asking.has(asking.uid)) return;
    const others = [...this.#asking.values()];
    const { byAddress, namespace, pods } = asking;
    const user = others.find(
      (other) => (byAddress || other.byAddress) && other.pods.some((pod) => pods.includes(pod)),
    );
    if (user) {
      const message = `${user.name} sends requests to the same pods, and a limiter that identifies callers only by the source address sees both as one caller; this one starts when that one has ended`;
      throw waitFor('PodsInUse', message);
    }
    const ofNamespace = others.filter((other) => other.namespace === namespace);
    requireRoom(asking, ofNamespace, MOST_OF_NAMESPACE, ' for one namespace');
    requireRoom(asking, others, MOST_OF_CELL, ' in one thread');
  }

  enter(asking: PodUser): void {
    this.#asking.set(asking.uid, asking);
  }

  /** A run that has begun again under the same uid stays. */
  leave(asking: PodUser): void {
    if (this.#asking.get(asking.uid) === asking) this.#asking.delete(asking.uid);
  }
}

function requireRoom(
  { requestsPerSecond }: PodUser,
  others: readonly PodUser[],
  most: number,
  of: string,
): void {
  const sent = sumOf(others.map((other) => other.requestsPerSecond));
  if (requestsPerSecond === 0 || sent + requestsPerSecond <= most) return;
  const message = `this run sends up to ${requestsPerSecond} requests per second, other runs send ${sent}, and the operator sends at most ${most} at a time${of}; this one starts when there is room`;
  throw waitFor('TrafficLimit', message);
}
