/** The simulated service itself. What happens to it outlives every process. */
import type { Clock } from '../../src/engine/clock.ts';
import type { Activity, SubjectEffect } from '../../src/engine/effects.ts';
import type { Admission, InvariantReading } from '../../src/engine/observed.ts';
import type { Lock } from '../../src/engine/subject.ts';
import type { ProcessClock } from './process-clock.ts';

/** How the service behaves. */
export interface Behaviour {
  /** Whether a stall makes requests queue up beyond the bound. */
  queues: boolean;
  /** Whether a surge loses requests. */
  loses: boolean;
  /** Whether it loses requests without any fault, and the control before the faults shows that. */
  losesAnyway: boolean;
  /** Whether a stall holds anything up at all. */
  stallBites: boolean;
  /** Milliseconds an effect takes. */
  effectMs: number;
  /** Milliseconds that closing the connections takes. */
  closeMs: number;
  /** How long a fixture is usable, in milliseconds. */
  usableMs: number;
  /** Whether what a fault left can be looked at. */
  readable: boolean;
  shortfalls: string[];
  /** Whether a watch gets to see its end: of a service that stops answering it does not. */
  watchedToEnd: boolean;
  /** Whether a stall lets itself be released before its time. */
  releases: boolean;
  /** What a profile other than the rules does `modelMs` after its query; one that hangs ignores its abort. */
  model: 'answers' | 'fails' | 'hangs';
  modelMs: number;
  /** Whether an injection ends when it is aborted; a system call that hangs does not. */
  heedsAbort: boolean;
}

const USUAL: Behaviour = {
  queues: true,
  loses: true,
  losesAnyway: false,
  stallBites: true,
  effectMs: 40,
  closeMs: 0,
  usableMs: 60_000,
  readable: true,
  shortfalls: [],
  watchedToEnd: true,
  releases: true,
  model: 'answers',
  modelMs: 5000,
  heedsAbort: true,
};

/** Another owner gets the lock when it was not renewed for so long. */
const LOCK_MS = 15_000;

/** A fault that was really sent. */
export interface Injection {
  readonly id: string;
  readonly at: number;
  readonly scenario: string;
  /** Whether the last look before it began showed the service healthy. */
  readonly healthy: boolean;
  /** `namespace/name` of the object it was sent for. */
  readonly owner: string;
}

/** When code that records or judges may throw. */
export const BUGGY_MOMENTS = [
  'MeasureBaseline',
  'Prepare',
  'Inject',
  'Inquire',
  'Diagnose',
  'Recover',
  'Restore',
  'PollHealth',
  'RecheckPreconditions',
  'AwaitEnd',
  'Watch',
  'Load',
] as const satisfies readonly (SubjectEffect['kind'] | Activity['kind'])[];
export type BuggyMoment = (typeof BUGGY_MOMENTS)[number];

interface HeldLock {
  readonly owner: string;
  /** Renews it as long as it lives. */
  readonly renewer: ProcessClock | undefined;
  leftAt?: number;
}

export class SimulatedTarget {
  healthy = true;
  nodes = ['a'];
  /** Names of pods that were deleted. */
  gone: string[] = [];
  /** Of the pods now, as a look at them would show. */
  podTemplate: string | undefined;
  /** Whether it may be touched, its lock apart. */
  admission: Admission = { state: 'granted' };
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly injected: Injection[] = [];
  readonly performed: SubjectEffect[] = [];
  /** The last reading of each fault, by the name of its object and its id. */
  readonly readings = new Map<string, InvariantReading>();
  /** Activities that are going on, and in which process. */
  readonly carriedOn = new Map<Activity, ProcessClock>();
  /** When the stall ends without a release; on the monotonic clock. */
  stalledUntil = 0;
  stalls = 0;
  /** Faults whose history is not kept in memory any longer. */
  readonly releasedHistories: string[] = [];
  /** Effects that fail before they have done anything: how many of the next of each kind. */
  readonly failing: Partial<Record<SubjectEffect['kind'], number>> = {};
  /** Bugs in code that records or judges: it throws after the driver has acted, so many times at each moment. */
  readonly throwing: Partial<Record<BuggyMoment, number>> = {};
  #lock: HeldLock | undefined;
  /** Drivers that were made and not closed, of processes that live or died. */
  open = 0;
  /** Those that are open, of all processes. */
  readonly drivers = new Set<{ die(): void }>();
  /** Calls of `admit` under way or over. */
  admissions = 0;

  constructor(clock: Clock, behaviour: Partial<Behaviour> = {}) {
    this.clock = clock;
    this.behaviour = { ...USUAL, ...behaviour };
  }

  /** Activities that are going on, of processes that live. */
  get activities(): Activity[] {
    return [...this.carriedOn].filter(([, { isAlive }]) => isAlive).map(([activity]) => activity);
  }

  get isStalled(): boolean {
    return this.stalledUntil > this.clock.monotonic();
  }

  /** `namespace/name` of the lock's owner; a lock that is not renewed expires. */
  get lockedBy(): string | undefined {
    const { owner, renewer } = this.#lock ?? {};
    const endedAt = this.#lock?.leftAt ?? renewer?.diedAt;
    return endedAt !== undefined && this.clock.monotonic() >= endedAt + LOCK_MS ? undefined : owner;
  }

  /** Gives the lock to an owner whose process renews it from now on, if it has one. */
  lockFor(owner: string, renewer?: ProcessClock): Lock {
    const held: HeldLock = { owner, renewer };
    this.#lock = held;
    return {
      isHeld: () => held.leftAt === undefined && this.lockedBy === owner,
      release: async (keep) => {
        // As with a Lease: a holder of the same name has taken it over.
        if (!keep && held.leftAt === undefined && this.lockedBy === owner) this.#lock = undefined;
        held.leftAt ??= this.clock.monotonic();
      },
    };
  }
}
