/**
 * The interface between a subject and the framework: a definition of its chapters and scenarios (pure), a connector
 * that finds and admits its targets, and a driver that touches them. A subject is a folder; it is registered in one
 * line.
 */
import type { Logger } from 'pino';
import type { ChaosDemoSpec, Expectation, FaultStatus, SubjectApi } from '../api/index.ts';
import type { Chapter } from './chapter.ts';
import type { Clock } from './clock.ts';
import type { Activity, SubjectEffect } from './effects.ts';
import type { Finding } from './findings.ts';
import type { Admission, FaultReport, Target } from './observed.ts';

/** A scenario as the framework needs it, independent of its type. Durations in milliseconds. */
export interface Scenario {
  readonly name: string;
  /** As in the API; also the type of the condition that reports its result. */
  readonly type: string;
  readonly expect: Expectation;
  readonly countdownMs: number;
  /** The fault ends automatically at most this long after its start. */
  readonly faultMs: number;
  readonly settleMs: number;
  /** How long the fixture must still be usable when the fault is planned, the countdown included. */
  readonly storyMs: number;
  /** Whether there is steady traffic during the fault. */
  readonly load: boolean;
  /**
   * Whether the fault lasts, and can be cut short: then it holds the object until that is done. If the process that has
   * announced it no longer exists, the subject is queried whether it was injected, and it is retried only if it was not.
   * A fault that is over at once is retried once, with a new fixture.
   */
  readonly releasable: boolean;
  /** The event after the countdown: "the store stops taking writes for 10s". */
  readonly faultTitle: string;
  /** The invariant in a sentence, with its numbers. */
  readonly invariant: string;
}

/** The pure part of a subject. */
export interface SubjectDefinition {
  readonly api: SubjectApi;
  chapters(spec: ChaosDemoSpec): Chapter[];
  scenarios(spec: ChaosDemoSpec): Scenario[];
  /** What a run waits for before its controls or the fixture of this scenario, in a sentence; undefined: nothing. */
  waitsFor?(spec: ChaosDemoSpec, scenario?: Pick<Scenario, 'type'>): string | undefined;
  /** What will be done, and to what. */
  welcome(spec: ChaosDemoSpec, target: Target | undefined): string;
}

/** What a connector receives about the object it works for. */
export interface AdmissionRequest {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly spec: ChaosDemoSpec;
  /** Faults of this object that may be active, by the status. */
  readonly activeFaults: readonly (FaultStatus & { readonly type: string })[];
  /** Whether a run is still to begin; an active one may have to release a fault, which does not depend on pods. */
  readonly toBegin: boolean;
  /** See the effect `Admit`. */
  readonly mustUndo: boolean;
}

/** What only one run at a time may use. */
export interface Lock {
  /** Whether the lock is ours now. Check right before a fault, not earlier. */
  isHeld(): boolean;
  /**
   * Stops renewing it, and releases it unless `keep`: then it is for a process that has taken the run over, or expires.
   * Never rejects.
   */
  release(keep?: boolean): Promise<void>;
}

/** The answer to an {@link AdmissionRequest}. */
export interface Admitted {
  readonly admission: Admission;
  /** Present if granted, or if something has to be undone and the target could be found. */
  readonly opened?: {
    readonly target: Target;
    readonly driver: SubjectDriver;
    /** Missing if nothing may be injected. */
    readonly lock?: Lock;
  };
}

/** Finds and admits the targets of one subject. One per process; it keeps the queue for each target. */
export interface SubjectConnector {
  /**
   * Checks once, in a few seconds at most.
   * @throws an error if it could not be found out; the shell tries again
   */
  admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted>;
  /** The template of a demo's pods, once all have the same one and are Ready. @throws as `admit` */
  findPodTemplate(namespace: string, spec: ChaosDemoSpec, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Forgets what an object waited for, when it is gone or its spec has changed.
   * @param keepLock the lock may belong to the process that leads now
   */
  forget(uid: string, keepLock: boolean): Promise<void>;
}

/** Why nothing may be sent: the refusals of the permits of the shell. */
export const REFUSALS = {
  notLeading: 'this operator no longer leads',
  restoring: 'the run is being restored',
  tooLate: 'its moment has passed',
  unhealthy: 'the subject became unhealthy',
  lockLost: 'the lock on the target was lost',
  ended: 'the effect has ended',
} as const;

/** Whether an injection may still be sent. Checked right before the command. */
export interface Permit {
  /** Why it must not be sent; undefined: it may. */
  refusal(): string | undefined;
}

/** A permit that remembers whether it was ever granted: until then, certainly nothing was sent. */
export function watchedPermit(permit: Permit): Permit & { readonly granted: boolean } {
  const watched = {
    granted: false,
    refusal() {
      const refusal = permit.refusal();
      watched.granted ||= refusal === undefined;
      return refusal;
    },
  };
  return watched;
}

/** The report of an injection that failed after its permit was granted: it may have begun. */
export function unknownInjection(why: string): FaultReport {
  const message = `The fault may have been injected, and its effect was not observed: ${why}`;
  return { proof: 'Inconclusive', message, evidence: [] };
}

/** A driver reports its findings through this. */
export type Emit = (finding: Finding) => void;

/** The recording of a fault. It takes much memory. */
export interface RecordedHistory {
  /** The lines of a file from which the fault can be judged and drawn again: those that were not taken yet. */
  take(): string[];
  /** Call once nothing will be added: it is not kept in memory any longer. */
  release(): void;
}

/** The part that touches a subject, one for each run. */
export interface SubjectDriver {
  /**
   * Performs an effect and returns its finding.
   * @throws if nothing was found out and nothing was done that must not be done twice: the shell tries again a moment
   * later. An `Inject` throws only before anything was sent.
   */
  perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding>;
  /** Runs an activity until `signal` aborts, then resolves; rejects only if it cannot continue. */
  runActivity(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void>;
  /** The history of a fault; undefined if another process observed it, or it was released. Omitted: there are none. */
  history?(fault: string): RecordedHistory | undefined;
  /** Aborts if the driver has ended by itself: its run goes on with another, as after a restart. Omitted: never. */
  readonly ended?: AbortSignal;
  /** Closes every connection, and leaves a fault as it is. The shell has already ended effects and activities. */
  close(): Promise<void>;
}

/** Memory with a part for each thread, and which of these is that of this thread. */
export interface SharedPlace {
  readonly memory: SharedArrayBuffer;
  readonly place: number;
}

/** The inputs for building a subject's connector. `Cluster` is the port in src/subjects/cluster.ts. */
export interface SubjectPorts<Cluster> {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** The shortest cool-down of a target after a fault, in milliseconds; 0: none. */
  readonly faultCooldownMs: number;
  /** Counts that the connectors in all threads of this process share; left out: there is no other. */
  readonly shared?: SharedPlace;
  /** Logs of an object go through a child logger with its namespace and name. */
  readonly logger: Pick<Logger, 'child' | 'info' | 'warn' | 'error'>;
}

export interface Subject<Cluster> {
  readonly definition: SubjectDefinition;
  connect(ports: SubjectPorts<Cluster>): SubjectConnector;
}
