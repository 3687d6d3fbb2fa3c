/** The tools of faults, interfaces and the driver of one run. */
import type { FaultTools } from '@chaosdemo/redis-faults';
import type { ConnectionShare, TrafficRoom } from './http/connection-budget.ts';
import type { Dial } from './http/dial.ts';
import type { PodClient } from './http/pod-client.ts';
import type { CallerControls } from './interfaces/http/control-callers.ts';
import type { HttpCallers } from './interfaces/http/http-callers.ts';
import type { OwnLimit } from './interfaces/own-limit.ts';
import { type RateLimiterSpec } from './spec/schema.ts';
import type { LookAtPods } from './target/pods-now.ts';
import type { RateLimiterTarget } from './target/target.ts';

/** The tools of interfaces, workloads and faults. */
export interface Toolkit extends FaultTools {
  readonly limiter: RateLimiterSpec;
  readonly target: RateLimiterTarget;
  readonly callers: HttpCallers;
  /** For a limiter that identifies callers by the source address only: every request is of one caller. */
  readonly ownLimit?: OwnLimit;
  /** For the requests of callers, one for each pod, in the same order. */
  readonly podClients: readonly PodClient[];
  /** Dials its pods with TLS; left out: plain TCP. */
  readonly dial?: Dial;
  /** Connections to pods that the runs of this namespace may have, for bursts and traffic. */
  readonly budget: ConnectionShare;
  /** Takes a connection from it for one open request of traffic. */
  readonly room: TrafficRoom;
  /** The results of the controls without a fault; undefined: this process made none. */
  readonly control: () => CallerControls | undefined;
  readonly lookAtPods: LookAtPods;
}
