/** The Kubernetes API in a cell: requests go to the thread that leads, which has the client. */
import type { Cluster, ClusterLease } from '../../subjects/cluster.ts';
import type { ConnectorOf, LeaseOptions, OfHost } from './messages.ts';
import type { Peer } from './peer.ts';

/** The port of a connector. Each call becomes a request with the same name and arguments; the peer sends an abort. */
export function remoteCluster(host: Peer<OfHost>, { id, localPods }: ConnectorOf): Cluster {
  const own: Pick<Cluster, 'lease' | 'localPods'> = {
    localPods,
    lease: (options) => new RemoteLease(host, id, options),
  };
  const read = (method: string, args: readonly unknown[]): Promise<unknown> => {
    const at = args.findIndex((each) => each instanceof AbortSignal);
    return host.request('read', [id, method, args.with(at, undefined), at], args[at] as AbortSignal);
  };
  const methods = new Proxy(own, {
    get: (target, name) =>
      Reflect.get(target, name) ?? ((...args: readonly unknown[]) => read(String(name), args)),
  });
  return methods as Cluster;
}

let leases = 0;

/** A lease that the thread that leads holds and renews. */
export class RemoteLease implements ClusterLease {
  /** Names it among those of this cell. */
  readonly id: number;
  readonly #host: Peer<OfHost>;
  readonly #connector: number;
  readonly #options: LeaseOptions;

  constructor(host: Peer<OfHost>, connector: number, options: LeaseOptions) {
    leases += 1;
    this.id = leases;
    this.#host = host;
    this.#connector = connector;
    this.#options = options;
  }

  async acquire(signal: AbortSignal): ReturnType<ClusterLease['acquire']> {
    return await this.#host.request('acquire', [this.#connector, this.id, this.#options], signal);
  }

  /** @throws always: a permit says so, written by the thread that knows it */
  isHeld(): boolean {
    throw new Error('whether a lease is held is known to the thread that leads');
  }

  async release(): Promise<void> {
    await this.#host.request('release', [this.id, false]);
  }

  async leave(): Promise<void> {
    await this.#host.request('release', [this.id, true]);
  }
}
