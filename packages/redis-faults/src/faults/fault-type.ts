/** The descriptor of a type of fault: all that depends on the type is stated in the folder of that type. */
import type { CountPlace } from '../client/count-place.ts';
import type { FaultTools } from './fault.ts';
import type { StoreFault } from './fenced-fault.ts';

/** A type of fault, by what the clients of the store meet. */
export interface FaultType {
  /** Its name in the API. */
  readonly type: string;
  /** What clients meet, in a sentence for the API, with the mechanisms if there are several. */
  readonly meaning: string;
  /** Fields of the API that only some types have. */
  readonly parameters?: readonly ('latency' | 'scripts')[];
  /** How it is injected: by commands of Redis, or by the fault proxy between the pods and Redis. At least one. */
  readonly mechanisms: Readonly<Partial<Record<Via, Mechanism>>>;
}

export const VIAS = ['Redis', 'Proxy'] as const;
export type Via = (typeof VIAS)[number];

export interface Mechanism {
  /** The event at its start, without its length: "Redis stops taking writes". */
  readonly title: string;
  /** Its class in a diagnosis. */
  readonly cause: Cause;
  /** Another class that is true as well if Sentinels watch the store. */
  readonly causeBySentinel?: Cause;
  /**
   * Left out: until its end. Moment: it is over at once, and only its effect stays. Lingers: it stays while callers
   * have to recover. ForGood: nothing takes it back.
   */
  readonly lasts?: 'Moment' | 'Lingers' | 'ForGood';
  /** Whether it holds writes of Redis back, which Sentinels notice. */
  readonly holdsWrites?: true;
  /** Whether Redis has to see the connections of the pods themselves: it does not behind a fault proxy. */
  readonly seesPods?: true;
  /** The fault for one attempt. Opens no connection yet. */
  create(tools: FaultTools, options: FaultOptions): StoreFault;
}

type Cause = 'store-connections-broken' | 'store-restarted' | 'store-slow' | 'store-writes-stalled';

/** The parameters of single types. */
export interface FaultOptions {
  /** Of Latency, in milliseconds. */
  readonly latencyMs: number;
  /** Of one that lingers: how long after its planned end; milliseconds. */
  readonly lingerMs: number;
  /** The fixture of the attempt; read when the fault is prepared. */
  readonly fixture: () => string;
  /** Of DataLoss: the counts to remove; read when the fault is prepared. */
  readonly counts: () => readonly CountPlace[];
  /** Of DataLoss: whether Redis forgets all scripts, too. */
  readonly scripts: boolean;
}
