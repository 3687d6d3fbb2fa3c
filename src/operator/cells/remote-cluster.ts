/** The Kubernetes API in a cell: requests go to the thread that leads, which has the client. */
import type { Cluster, ClusterLease } from '../../subjects/cluster.ts';
import type { ConnectorOf, LeaseOptions, OfHost } from './messages.ts';
import type { Peer } from './peer.ts';

/** The port of a connector. Each call becomes a request with the same name and arguments; the peer sends an abort. */
export function remoteCluster(host: Peer<OfHost>, { id, localPods }: ConnectorOf): Cluster {
  const own: Pick<Cluster, 'lease' | 'localPods'> = {
    localPods,
    lease: (options) => remoteLease(host, id, options),
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

/** A lease that the thread that leads holds and renews; its id is unique among those of this cell. */
export interface RemoteLease extends ClusterLease {
  readonly id: number;
}

function remoteLease(host: Peer<OfHost>, connector: number, options: LeaseOptions): RemoteLease {
  leases += 1;
  const id = leases;
  return {
    id,
    acquire: (signal) => host.request('acquire', [connector, id, options], signal),
    isHeld() {
      throw new Error('whether a lease is held is known to the thread that leads: a permit states it');
    },
    release: (keep = false) => host.request('release', [id, keep]),
  };
}
