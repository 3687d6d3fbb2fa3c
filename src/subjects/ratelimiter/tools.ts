/** The tools of faults, interfaces and the driver of one run. */
import type { Admission } from '../../demo/observed.ts';
import type { ConnectionShare, TrafficRoom } from './http/connection-budget.ts';
import type { Dial } from './http/dial.ts';
import type { NodeClient } from './http/node-client.ts';
import type { Callers } from './interfaces/callers.ts';
import type { CallerControls } from './interfaces/http/control-callers.ts';
import type { OwnLimit } from './interfaces/own-limit.ts';
import type { ReferenceLimiter } from './interfaces/reference/reference-limiter.ts';
import type { FindReplacedPods } from './replaced-pods.ts';
import { type RateLimiterSpec } from './schema.ts';
import type { OwnPause } from './store/own-pause.ts';
import type { RedisConnections } from './store/redis-client.ts';
import type { RateLimiterTarget } from './target.ts';

/** Whether a Redis may still be paused; restarted: it is not the server that was admitted. */
export type StoreCheck =
  | { readonly state: 'free' }
  | { readonly state: 'restarted' }
  | { readonly state: 'refused'; readonly admission: Extract<Admission, { state: 'refused' }> };

/** It is unknown whether Redis may be paused: nothing was done, and the shell tries again. */
export class NotFoundOutError extends Error {
  override readonly name = 'NotFoundOutError';
}

/** The tools of a fault. */
export interface Toolkit {
  readonly limiter: RateLimiterSpec;
  readonly target: RateLimiterTarget;
  /** How long one request to a pod may take; milliseconds. */
  readonly timeoutMs: number;
  /** Sets limits and samples counters; undefined: the limiter has no interface for that. */
  readonly reference?: ReferenceLimiter;
  readonly callers: Callers;
  /** For a limiter that identifies callers by the source address only: every request is of one caller. */
  readonly ownLimit?: OwnLimit;
  /** For the requests of callers, one for each pod, in the same order. */
  readonly podClients: readonly NodeClient[];
  /** Dials its pods with TLS; left out: plain TCP. */
  readonly dial?: Dial;
  /** Connections to pods that the runs of this namespace may have, for bursts and traffic. */
  readonly budget: ConnectionShare;
  /** Takes a connection from it for one open request of traffic. */
  readonly room: TrafficRoom;
  readonly redis: RedisConnections;
  readonly ownPause: OwnPause;
  /** The results of the controls without a fault; undefined: this process made none. */
  readonly control: () => CallerControls | undefined;
  /** The slowest write without a fault, in milliseconds; 0: not measured by this process. */
  readonly usualWriteMs: () => number;
  /** Checks again whether Redis may be paused. */
  readonly checkStore: (signal: AbortSignal) => Promise<StoreCheck>;
  readonly findReplacedPods: FindReplacedPods;
  /** Milliseconds since the epoch; the fraction counts. */
  readonly now: () => number;
  /** Aborts when the driver is closed. */
  readonly lifetime: AbortSignal;
}
