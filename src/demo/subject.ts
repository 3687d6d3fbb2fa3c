/**
 * The interface between a subject and the framework: a definition of its chapters and scenarios (pure), a connector
 * that finds and admits its targets, and a driver that touches them. A subject is a folder; it is registered in one
 * line.
 */
import type { Logger } from 'pino';
import type { ChaosDemoSpec, Expectation, FaultStatus, SubjectApi } from '../api/index.ts';
import type { EvidenceBand, EvidenceBundle } from '../evidence/index.ts';
import type { Chapter } from './chapter.ts';
import type { Clock } from './clock.ts';
import type { Activity, SubjectEffect } from './effects.ts';
import type { Finding } from './findings.ts';
import type { Admission, Target } from './observed.ts';

/** A scenario as the framework needs it, whatever its type does. Durations in milliseconds. */
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
  /** Whether steady traffic goes on while the fault lasts. */
  readonly load: boolean;
  /** Whether the fault can be cut short; such a one holds the object until that is done. */
  readonly releasable: boolean;
  /**
   * What to do about a fault announced by a process that no longer exists. Inquire: query the subject whether it was
   * injected, and retry only if it was not. Retry: retry once with a new fixture.
   */
  readonly onOrphan: 'Inquire' | 'Retry';
  /** What the countdown counts down to: "the store stops taking writes for 10s". */
  readonly faultTitle: string;
  /** The invariant in a sentence, with its numbers. */
  readonly invariant: string;
}

/** The pure part of a subject. */
export interface SubjectDefinition {
  readonly api: SubjectApi;
  chapters(spec: ChaosDemoSpec): Chapter[];
  scenarios(spec: ChaosDemoSpec): Scenario[];
  /** First part of the names of the fixtures that the demo makes. */
  fixturePrefix(spec: ChaosDemoSpec): string;
  /** Whether fixtures stay on the subject until they are removed: then a run holds its object until that is done. */
  keepsFixtures(spec: ChaosDemoSpec): boolean;
  /** Interval between health checks of the subject, in milliseconds. */
  healthIntervalMs(spec: ChaosDemoSpec): number;
  /** What a run waits for before its controls, or before a fixture of this scenario is ready, in a sentence; undefined: for nothing. */
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
  /** Faults of this object that may be on, by the status. */
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
  /** Gives it back; never rejects. */
  release(): Promise<void>;
  /** Stops renewing it and leaves it: for a process that has taken the run over, or until it runs out. */
  leave(): Promise<void>;
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

/** Finds and admits the targets of one subject. One for the process; it keeps the queue for each target. */
export interface SubjectConnector {
  /**
   * Checks once, in a few seconds at most.
   * @throws an error if it could not be found out; the shell tries again
   */
  admit(request: AdmissionRequest, signal: AbortSignal): Promise<Admitted>;
  /** The template that the pods of a demo are of, once they are all of one and Ready. @throws as `admit` */
  findPodTemplate(namespace: string, spec: ChaosDemoSpec, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Forgets what an object waited for, when it is gone or has changed its mind.
   * @param keepLock what it waited for may be that of a process that leads now
   */
  forget(uid: string, keepLock: boolean): Promise<void>;
}

/** Whether an injection may still be sent. Checked right before the command. */
export interface Permit {
  /** Why it must not be sent; undefined: it may. */
  refusal(): string | undefined;
}

/** A driver reports its findings through this. */
export type Emit = (finding: Finding) => void;

/** A span of time for plots; milliseconds since the epoch. Without `to` it lasts. */
export interface SeenBand {
  readonly kind: EvidenceBand['kind'];
  readonly from: number;
  readonly to?: number;
  readonly text: string;
}

/** What was seen around one fault so far, and what is behind the names in it. Milliseconds since the epoch. */
export interface FaultEvidence {
  /** The origin of the times in the bundle: the start of the fault, or, before that, one that stays. */
  readonly originMs: number;
  /** When the fault was observed to end; omitted if it was not, or not yet. */
  readonly endedAt?: number;
  /** Names of components with the pods behind them. */
  readonly pods: readonly { readonly component: string; readonly pod: string }[];
  /** Time ranges that are not in the status. */
  readonly bands: readonly SeenBand[];
  readonly bundle: EvidenceBundle;
  /** All that was recorded, as lines of a file from which anyone can judge the fault again; left out: nothing is. */
  readonly history?: () => Iterable<string>;
}

/** The part that touches a subject, one for each run. */
export interface SubjectDriver {
  /**
   * Performs an effect and returns its finding.
   * @throws if nothing was found out and nothing was done that must not be done twice: the shell tries again a moment
   * later. An `Inject` or a `Remediate` throws only before anything was sent.
   */
  perform(effect: SubjectEffect, permit: Permit, signal: AbortSignal): Promise<Finding>;
  /** Runs an activity until `signal` aborts, then resolves; rejects only if it cannot continue. */
  carryOn(activity: Activity, emit: Emit, signal: AbortSignal): Promise<void>;
  /** The observations around a fault so far; undefined if another process observed it. Omitted: nothing is kept. */
  evidence?(fault: string): FaultEvidence | undefined;
  /** Closes every connection; a fault stays as it is. The shell has ended effects and activities before. */
  close(): Promise<void>;
}

/** What a subject is given to build its connector from. `Cluster` is the port in src/subjects/cluster.ts. */
export interface SubjectPorts<Cluster> {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** How long a target rests after a fault that holds others up, in milliseconds; 0: not at all. */
  readonly faultRestMs: number;
  /** Everything a subject logs of an object goes over a child with its namespace and name. */
  readonly logger: Pick<Logger, 'child' | 'info' | 'warn' | 'error'>;
}

/** A subject as it is registered. */
export interface Subject<Cluster> {
  readonly definition: SubjectDefinition;
  connect(ports: SubjectPorts<Cluster>): SubjectConnector;
}
