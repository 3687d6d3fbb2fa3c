/** The tools of faults, workloads and the driver of one run. */
import type { FaultTools } from '@chaosdemo/redis-faults';
import type { AccountOf } from '../http/caller-pool.ts';
import type { ConnectionShare, TrafficRoom } from '../http/connection-budget.ts';
import type { Dial } from '../http/dial.ts';
import type { PodClient } from '../http/pod-client.ts';
import type { LookAtPods } from '../targets/pods-now.ts';
import type { PodsTarget } from '../targets/target.ts';

/** The results of the controls without a fault. */
export interface Controls {
  readonly message: string;
  /** Why no run can end as expected, by what was measured; undefined: one can. */
  readonly problem?: string;
  /** The member of the spec, with what it left to be measured; left out: it left nothing. */
  readonly measured?: Readonly<Record<string, unknown>>;
  /** Why it is not shown that the pods use this Redis; undefined: it is. */
  readonly storeDoubt?: string | undefined;
  /** The slowest write of Redis, in milliseconds. */
  readonly baseline: { readonly writeMaxMs: number };
}

/** The tools of workloads and faults. Each kind of subject adds its own. */
export interface Toolkit extends FaultTools {
  readonly target: PodsTarget;
  /** One for each pod, in the same order. */
  readonly podClients: readonly PodClient[];
  /** Of a GET request that uses nothing of the subject, if there is one, and how long a health check may take. */
  readonly health: { readonly path: string | undefined; readonly timeoutMs: number };
  /** Dials its pods with TLS; left out: plain TCP. */
  readonly dial?: Dial;
  /** Connections to pods that the runs of this namespace may have, for bursts and traffic. */
  readonly budget: ConnectionShare;
  /** Takes a connection from it for one open request of traffic. */
  readonly room: TrafficRoom;
  /** Undefined: this process made no controls. */
  readonly control: () => Controls | undefined;
  readonly lookAtPods: LookAtPods;
  /** Left out: callers are keys that the operator makes up. */
  readonly accountOf?: AccountOf;
}
