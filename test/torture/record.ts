/**
 * What was seen from outside the operator. Times are milliseconds since the epoch, by the clock of this machine,
 * which all processes share.
 */
import type { ChaosDemo } from '../../src/api/index.ts';
import type { Step } from './step.ts';

/** A version of an object, or its end, as the API server sent it. */
export interface VersionSeen {
  readonly kind: 'version';
  readonly at: number;
  readonly lane: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ChaosDemo;
  /** The API server was away: versions between this and the one before may have been missed by the observer. */
  readonly afterGap?: true;
}

/** Commands that Redis counts. */
export type DoneCommand = 'pause' | 'unpause' | 'kill';

/** Redis has carried out a CLIENT PAUSE, CLIENT UNPAUSE or CLIENT KILL, by its own count. */
export interface CommandDone {
  readonly kind: 'done';
  /** When that was seen, some 20 ms later at most. */
  readonly at: number;
  readonly lane: number;
  readonly what: DoneCommand;
}

/** A command that an operator sent to Redis, or to a Sentinel. */
export interface CommandSent {
  readonly kind: 'sent';
  /** When the proxy had it. */
  readonly at: number;
  readonly lane: number;
  readonly args: readonly string[];
  /** When it went on to Redis; missing where it never did. */
  passedAt?: number;
  /** When the operator was given the answer. */
  answeredAt?: number;
}

/** `POST /check`: a request of an operator to a pod. */
export interface CheckSeen {
  readonly kind: 'check';
  readonly at: number;
  readonly lane: number;
  readonly node: number;
  readonly key: string;
  /** When it went on to the node. */
  passedAt?: number;
  /** What the node answered, whether or not the operator learned of it. */
  status?: number;
  allowed?: boolean;
  /** When the node answered. */
  nodeAt?: number;
  /** When the answer was handed to the operator. */
  answeredAt?: number;
  /** The connection to the node was lost before its answer, and so was that of the operator. */
  brokenOff?: boolean;
  /** The operator had closed its connection before. */
  givenUp?: boolean;
}

/** A write of the observer that Redis did not take at once. */
export interface SlowWrite {
  readonly kind: 'write';
  /** When it was sent. */
  readonly at: number;
  readonly lane: number;
  /** Until it was taken, or its connection was lost; Infinity while it is under way. */
  tookMs: number;
  /** Its connection was lost. */
  lost?: boolean;
}

/** The port of a fault proxy began to refuse connections, or to accept them again. */
export interface PortSeen {
  readonly kind: 'port';
  /** When that was seen, some 50 ms later at most. */
  readonly at: number;
  readonly lane: number;
  readonly accepts: boolean;
}

/** A Sentinel has accepted a command for a failover, or reports another primary. */
export interface FailoverSeen {
  readonly kind: 'failover';
  /** When that was read in its log, some 20 ms later at most. */
  readonly at: number;
  readonly lane: number;
  /** From 0. */
  readonly sentinel: number;
  readonly what: 'accepted' | 'switched';
}

/** A request of an operator to the API server. */
export interface RequestSeen {
  readonly kind: 'request';
  readonly at: number;
  readonly replica: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The proxy answered in place of the API server. */
  readonly forged: boolean;
}

/** A step of the plan that was taken. */
export interface StepTaken {
  readonly kind: 'step';
  readonly at: number;
  readonly step: Step;
  /** What it was done to, where the plan says "leader". */
  readonly whom: string;
  endedAt?: number;
  /** It could not be done. */
  failed?: boolean;
}

/** A process ended that was not killed. */
export interface ProcessLost {
  readonly kind: 'lost';
  readonly at: number;
  readonly name: string;
  readonly how: string;
}

/** The observer itself stood still: what it saw during that is later by so much. */
export interface StoodStill {
  readonly kind: 'stood-still';
  readonly at: number;
  readonly ms: number;
}

export type Entry =
  | VersionSeen
  | CommandDone
  | CommandSent
  | CheckSeen
  | SlowWrite
  | PortSeen
  | FailoverSeen
  | RequestSeen
  | StepTaken
  | ProcessLost
  | StoodStill;

/** Milliseconds since the epoch; the fraction counts. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Everything that was seen while one plan was carried out, in the order in which it was noted. */
export class TortureRecord {
  readonly entries: Entry[];

  constructor(entries: readonly Entry[] = []) {
    this.entries = [...entries];
  }

  note<T extends Entry>(entry: T): T {
    this.entries.push(entry);
    return entry;
  }

  /** Nothing more is looked at from `at` on: a write that is under way has been held back until then, as far as is known. */
  close(at: number): void {
    for (const write of this.of('write')) write.tookMs = Math.min(write.tookMs, at - write.at);
  }

  /** Those of a kind, by their times. */
  of<K extends Entry['kind']>(kind: K, lane?: number): Extract<Entry, { kind: K }>[] {
    return this.entries
      .filter(
        (entry): entry is Extract<Entry, { kind: K }> =>
          entry.kind === kind && (lane === undefined || !('lane' in entry) || entry.lane === lane),
      )
      .sort((a, b) => a.at - b.at);
  }
}
