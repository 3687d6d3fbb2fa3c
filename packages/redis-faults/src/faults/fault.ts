/** What a fault of the store does. It knows Redis, and nothing of requests. */
import type { FaultProxyClient } from '../client/fault-proxy.ts';
import type { OwnPause } from '../client/own-pause.ts';
import type { PerServer } from '../client/per-server.ts';
import type { RedisTarget, SentinelsTarget } from '../client/redis-target.ts';
import type { StoreConnections } from '../client/store-connections.ts';
import type { FaultEvent, ProbeEvent } from '../events.ts';

/** Confirmed: shown by an independent probe. Mismatch: a probe shows the opposite. */
export type FaultProof = 'Confirmed' | 'Mismatch' | 'Inconclusive';

/** The outcome of an injection. Times in milliseconds since the epoch. */
export interface FaultReport {
  readonly startedAt?: number;
  /** When it ended, if that was observed. */
  readonly endedAt?: number;
  readonly proof?: FaultProof;
  readonly message: string;
  readonly evidence: readonly string[];
}

/** Whether a fault announced by a process that no longer exists was injected. */
export type OrphanFinding = 'Injected' | 'NotInjected' | 'Unknown';

/** Whether an injection may still be sent. Checked right before the command. */
export interface Permit {
  /** Why it must not be sent; undefined: it may. */
  refusal(): string | undefined;
}

/** Why a Redis must not be disturbed, as the caller has decided. */
export interface StoreRefusal {
  readonly reason: string;
  readonly message: string;
}

/** Whether a Redis may still be paused; restarted: these are not the servers that were admitted, with the same slots. */
export type StoreCheck =
  | { readonly state: 'free' | 'restarted' }
  | { readonly state: 'refused'; readonly admission: StoreRefusal };

/** Nothing was injected, and will not be by what was sent; the message has the reason. */
export class NotInjectedError extends Error {
  override readonly name = 'NotInjectedError';
}

/** The tools of a fault. */
export interface FaultTools {
  readonly redis: StoreConnections;
  readonly ownPause: OwnPause;
  /** Between the pods and Redis; left out: there is none. */
  readonly proxy?: FaultProxyClient;
  readonly target: {
    /** The pods whose connections a fault may end. */
    readonly pods: readonly { readonly name: string; readonly host: string }[];
    readonly redis: PerServer<RedisTarget>;
    /** Those that watch it; left out: none does. */
    readonly sentinels?: SentinelsTarget;
  };
  /** The slowest write without a fault, in milliseconds; 0: not measured by this process. */
  readonly usualWriteMs: () => number;
  /** Checks again whether Redis may be paused. */
  readonly checkStore: (signal: AbortSignal) => Promise<StoreCheck>;
  /** The pods that the Service of the store leads to now. @throws Error if that is not known */
  readonly findStore: (signal: AbortSignal) => Promise<PerServer<RedisTarget>>;
  /** Milliseconds since the epoch; the fraction counts. */
  readonly now: () => number;
  /** Aborts when the driver is closed. */
  readonly lifetime: AbortSignal;
}

/**
 * Records the finding of a probe of the store, or what the fault has done so far, until its end was seen. Doubted: the
 * proof of the fault was lost, so from then on it may have ended.
 */
export type RecordEvent = (
  event: ProbeEvent | FaultEvent<'ConnectionsEnded' | 'CountsLost' | 'Doubted' | 'Seen'>,
) => void;

/** When a fault may begin, and when it has ended automatically at the latest; milliseconds since the epoch. */
export interface FaultMoment {
  readonly plannedAt: number;
  readonly until: number;
}

/** The store must not be disturbed any more. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
  readonly admission: StoreRefusal;

  constructor(admission: StoreRefusal) {
    super(`${admission.reason}: ${admission.message}`);
    this.admission = admission;
  }
}
