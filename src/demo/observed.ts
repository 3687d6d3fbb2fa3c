/**
 * What a session has seen, as `decide` reads it. Reports stand under the id of
 * the fault or effect they belong to, so that nothing seen of one attempt is
 * ever taken for another's.
 */
import type { DiagnosisStatus, FaultProof, Reason } from '../api/index.ts';
import type { HealthSnapshot } from './health.ts';

/** Whether the subject may be touched at all, as found out outside the core. */
export type Admission =
  /** Not found out yet. */
  | { state: 'unknown' }
  | { state: 'granted' }
  /** Somebody has to change something first. */
  | { state: 'refused'; reason: Reason; message: string }
  /** Will come right by itself (another run on the same Redis). */
  | { state: 'waiting'; reason: Reason; message: string };

/** The subject as discovered. */
export interface Target {
  pods: { name: string; uid: string; imageID: string }[];
  /** See `run.podTemplate` in the API. */
  podTemplate?: string;
  /** Where the faults go, for the messages: "redis-0 (10.0.0.7:6379)". */
  store: string;
}

/** A key set up for one attempt of a scenario and read back on every node. */
export interface Prepared {
  key: string;
  /** Counts the preparations of the same attempt, from 1. */
  sequence: number;
  /** End of the window, in milliseconds since the epoch by the local clock. */
  windowEndsAt: number;
  /** See `fault.marker` in the API. */
  marker?: string;
  message: string;
}

/** What became of a fault that was to be injected. */
export interface FaultReport {
  /** Not performed at all (too late, lease not fresh): nothing was injected. */
  missed?: boolean;
  startedAt?: number;
  /** When a probe saw it end. */
  endedAt?: number;
  proof?: FaultProof;
  message: string;
  evidence: string[];
}

/** Where an invariant stands. Everything in it only ever grows. */
export interface InvariantReading {
  /** The furthest that was measured. */
  observed: number;
  /** What is allowed; more than this breaks it. */
  bound: number;
  /** When it was really broken first, in milliseconds since the epoch. */
  brokenAt?: number;
  /** When that was known for sure; latched. */
  detectedAt?: number;
  /** The end of the last complete sample. */
  watchedUntil: number;
  /** What is missing for a proof that it was not broken; empty: the proof is whole. */
  shortfalls: string[];
  evidence: string[];
}

/** What a look after a fault has shown. */
export interface RecoveryReport {
  /** When a real write was accepted again. */
  writeAcceptedAt?: number;
  /** When the counters were at rest again. */
  convergedAt?: number;
  /** Counts that never came back; not there where nobody could read them. */
  lostCounts?: number;
  message: string;
}

/** A result of something that either worked or did not. */
export interface Outcome {
  ok: boolean;
  message: string;
}

/** What a {@link Outcome} of restoring says besides. */
export interface Restored extends Outcome {
  /** Whether a real write was accepted: then no pause is on, whatever is left to do. */
  writesTaken: boolean;
}

/** Whether a fault announced by a process that is gone was injected. */
export type OrphanFinding = 'Injected' | 'NotInjected' | 'Unknown';

export interface Observed {
  /** When this session began to look, in milliseconds since the epoch. */
  since: number;
  admission: Admission;
  target?: Target;
  /** Of what template the pods are now; not there where it is not known, or a rollout is under way. */
  podTemplate?: string;
  /** Names of pods of this run that were deleted since it began. */
  gone?: readonly string[];
  health?: HealthSnapshot;
  baseline?: Outcome;
  /** Under the fault's id. */
  prepared: Record<string, Prepared>;
  /** Preparations that failed, under the fault's id. */
  prepareFailures: Record<string, string>;
  faults: Record<string, FaultReport>;
  readings: Record<string, InvariantReading>;
  recoveries: Record<string, RecoveryReport>;
  orphans: Record<string, OrphanFinding>;
  /** Under the fault's id; `undefined` result: given up, with the reason in `message`. */
  diagnoses: Record<string, { diagnosis?: DiagnosisStatus; message: string }>;
  /** Under the effect's id. */
  restored: Record<string, Restored>;
  /** {@link announcement}s that this process itself made; only those faults does it inject. */
  announced: ReadonlySet<string>;
  /** Ids of faults whose injection this process has begun. */
  begun: ReadonlySet<string>;
}

/** A session that has seen nothing yet. */
export function nothingObserved(since: number): Observed {
  return {
    since,
    admission: { state: 'unknown' },
    prepared: {},
    prepareFailures: {},
    faults: {},
    readings: {},
    recoveries: {},
    orphans: {},
    diagnoses: {},
    restored: {},
    announced: new Set(),
    begun: new Set(),
  };
}

const NAMED = 3;

/** That pods of the run were deleted meanwhile, for people; undefined where all are there. */
export function goneMessage({ gone = [], target }: Observed): string | undefined {
  if (gone.length === 0) return undefined;
  const names = gone.slice(0, NAMED).join(', ') + (gone.length > NAMED ? ' and others' : '');
  const all = target?.pods.length ?? gone.length;
  const cause = gone.length === all ? ': a rollout, or somebody deleted them' : '';
  return `gone since the run began: ${names} (${gone.length} of ${all} pods)${cause}`;
}

/**
 * How a process knows its own announcement of a fault again. The id alone would
 * not do: two processes that decide on the same object choose the same id.
 */
export function announcement(fault: { id: string; plannedAt: string }): string {
  return `${fault.id}@${fault.plannedAt}`;
}
