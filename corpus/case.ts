/** What a case is: what it runs on, what is watched, and what is done during it. */
import type { FaultName, Via } from '@chaosdemo/redis-faults';
import type { AnomalyClass } from '../src/diagnosis/index.ts';
import type { Bed } from './bed.ts';

/** A fault of Redis, as in a spec. */
export interface WatchedFault {
  readonly type: FaultName;
  readonly via?: Via;
}

/** A case as it is carried out. */
export interface Scene {
  readonly bed: Bed;
  /** Aborts when the watch ends. */
  readonly signal: AbortSignal;
  /** Notes that this is wrong from now on; what is returned notes that it is over. */
  wrong(anomaly: Exclude<AnomalyClass, 'none' | 'unknown'>, ...components: string[]): () => void;
}

/** One of the ways in which a case is recorded. */
export interface Variation {
  readonly limiter:
    | { readonly mode: 'approximate' | 'strict' }
    | {
        readonly surveyed: string;
        readonly variant: string;
        /** Of a token bucket whose full one admits other than `limit` at once. */
        readonly burst?: number;
      };
  /** steady: traffic; burst: requests that come together; a fault: traffic, and that fault of Redis. */
  readonly watch: 'steady' | WatchedFault | 'burst';
  /** Requests of the limit. */
  readonly limit: number;
  /** Requests a second of steady traffic. */
  readonly rate: number;
  /** How long the traffic, or the pause, lasts. */
  readonly forMs: number;
  /** How the nodes find the primary of a Redis that Sentinels fail over; default: they stay with the first one. */
  readonly follows?: 'ByService' | 'BySentinel';
  /** Whether a gateway stands before each node. */
  readonly gateways?: boolean;
  /** Before anything is measured. */
  readonly before?: (bed: Bed) => void;
  /** From the beginning of the traffic, the pause or the burst on; it may be ended by the end of the watch. */
  readonly act?: (scene: Scene) => Promise<void>;
}

export interface Case {
  /** `dead-node` */
  readonly name: string;
  /** What is done, for people. */
  readonly says: string;
  readonly variations: readonly Variation[];
  /** Whether all of it is kept back: nothing like it was there when rules and prompts were made. */
  readonly heldBack?: boolean;
}

/** Of a case that is not kept back as a whole, one variation of each three is: the last of them. */
export const isHeldBack = ({ heldBack = false }: Case, index: number): boolean => heldBack || index % 3 === 2;
