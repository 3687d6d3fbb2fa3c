/**
 * The observations of a session, as `decide` reads them. Reports are keyed by the id of their fault or effect, so that
 * an observation of one attempt is never attributed to another. Immutable: see `record`.
 */
import type { FaultProof, Measures, Reason } from '../api/index.ts';
import { RULES_PROFILE } from '../api/index.ts';
import type { DiagnosisReport } from '../evidence/index.ts';
import type { HealthSnapshot } from './health.ts';

/** Whether the subject may be touched at all. */
export type Admission =
  /** Not known yet. */
  | { readonly state: 'unknown' }
  | { readonly state: 'granted' }
  /** Needs a change by a user first. */
  | { readonly state: 'refused'; readonly reason: Reason; readonly message: string }
  /** Resolves automatically (another run uses the same target). */
  | { readonly state: 'waiting'; readonly reason: Reason; readonly message: string };

/** The subject as discovered. */
export interface Target {
  readonly pods: readonly { readonly name: string; readonly uid: string; readonly imageId: string }[];
  /** See `run.podTemplate` in the API. */
  readonly podTemplate?: string;
  /** The target of the faults, for messages: "store-0 (10.0.0.7:6379)". */
  readonly store: string;
}

/** A fixture set up for one attempt of a scenario and read back on every pod. */
export interface Prepared {
  readonly fixture: string;
  /** Until when it can be used, in milliseconds since the epoch by the local clock. */
  readonly usableUntil: number;
  /** See `fault.marker` in the API. */
  readonly marker?: string;
  readonly message: string;
}

/** The outcome of a planned injection. */
export interface FaultReport {
  /** Not performed at all (too late, no longer permitted): nothing was injected. */
  readonly missed?: boolean;
  readonly startedAt?: number;
  /** When it ended, if that was observed. */
  readonly endedAt?: number;
  readonly proof?: FaultProof;
  readonly message: string;
  readonly evidence: readonly string[];
}

/** The state of an invariant. Its values only grow. */
export interface InvariantReading extends Measures {
  /** The largest measured values; the measure of the invariant first. */
  readonly measures: Readonly<Record<string, number>>;
  /** The unit of that first measure. */
  readonly unit: string;
  /** That first measure in words; default: its name with its value. Without measures: what was seen so far. */
  readonly figure?: string | undefined;
  /** That first measure and its bound, short enough for a column: "30 > 5". */
  readonly summary: string;
  /** When it was first broken, in milliseconds since the epoch. */
  readonly brokenAt?: number;
  /** When that was known for certain; latched. */
  readonly detectedAt?: number;
  /** Whether that was shown without any knowledge of the fault: then nothing that is missing changes it. */
  readonly provenAlone?: boolean;
  /** The measure of the invariant at `detectedAt`; default: the first of `measures`. It may grow after that. */
  readonly whenDetected?: Measures;
  /** How often the fault was injected for this; default: once. */
  readonly trials?: number;
  /** The end of the last complete sample. */
  readonly watchedUntil: number;
  /** Whether the observation has reached the end of the fault and the time to settle. */
  readonly complete?: boolean;
  /** What is missing for a proof that it was not broken; empty: the proof is complete. */
  readonly shortfalls: readonly string[];
  readonly evidence: readonly string[];
}

/** The result of a check after a fault, with its permanent effects; without if the check could not run. */
export interface RecoveryReport extends Measures {
  /** When a probe saw the subject work again. */
  readonly workedAt?: number;
  /** When the subject was seen at rest again, after it had not been. */
  readonly restedAt?: number;
  readonly message: string;
}

/** The result of something that succeeded or failed. */
export interface Outcome {
  readonly ok: boolean;
  readonly message: string;
}

/** The result of a control without any fault. */
export interface ControlOutcome extends Outcome {
  /** The subject broke its invariant although no fault was active: a proven violation, not a failed control. */
  readonly violated?: boolean;
  /** Members of the spec, with what it left to be measured; left out: it left nothing. */
  readonly measured?: Readonly<Record<string, unknown>>;
}

/** Extends the {@link Outcome} of restoring. */
export interface Restored extends Outcome {
  /** Whether a probe confirmed that no fault is active, whatever is left to do. */
  readonly faultOver: boolean;
  /** By the id of a fault: the digest of what this process has recorded of it. Omitted: nothing. */
  readonly histories?: Readonly<Record<string, string>>;
}

/** Whether a fault announced by a process that no longer exists was injected. */
export type OrphanFinding = 'Injected' | 'NotInjected' | 'Unknown';

/** When a check last ran, and for which generation of the spec. */
export interface LastCheck {
  readonly generation: number;
  readonly at: number;
}

export interface Observed {
  /** When this session began to observe, in milliseconds since the epoch. */
  readonly since: number;
  /** Whether the operator has to stop every run and start none now. */
  readonly killSwitch?: boolean;
  /** Why no further run may begin now: too many are active. Undefined: there is room, or this one has its slot. */
  readonly noSlotReason?: string | undefined;
  readonly admission: Admission;
  readonly lastAdmissionCheck?: LastCheck;
  readonly target?: Target | undefined;
  /** Template of the current pods; undefined if unknown, or during a rollout. */
  readonly podTemplate?: string | undefined;
  readonly lastPodTemplateCheck?: LastCheck;
  /** Names of pods of this run that were deleted since it began. */
  readonly gone: readonly string[];
  readonly health?: HealthSnapshot;
  readonly baseline?: ControlOutcome;
  /** By the fault's id. */
  readonly prepared: Readonly<Record<string, Prepared>>;
  /** Failed preparations, by the fault's id. */
  readonly prepareFailures: Readonly<Record<string, string>>;
  readonly faults: Readonly<Record<string, FaultReport>>;
  readonly readings: Readonly<Record<string, InvariantReading>>;
  readonly recoveries: Readonly<Record<string, RecoveryReport>>;
  readonly orphans: Readonly<Record<string, OrphanFinding>>;
  /** By {@link diagnosisKey}. */
  readonly diagnoses: Readonly<Record<string, DiagnosisReport>>;
  /** By the effect's id. */
  readonly restored: Readonly<Record<string, Restored>>;
  /** {@link announcement}s made by this process; it injects only those faults. */
  readonly announced: ReadonlySet<string>;
  /** Ids of faults that this process has begun. */
  readonly begun: ReadonlySet<string>;
}

/** Without the members of every object: a forged id may be named as one of them. */
const NOTHING: Readonly<Record<string, never>> = Object.freeze(Object.create(null));

/** With one more. */
export function put<T>(map: Readonly<Record<string, T>>, id: string, value: T): Record<string, T> {
  return Object.assign(Object.create(null), map, { [id]: value });
}

/** A session without observations. */
export function nothingObserved(since: number): Observed {
  return {
    since,
    admission: { state: 'unknown' },
    gone: [],
    prepared: NOTHING,
    prepareFailures: NOTHING,
    faults: NOTHING,
    readings: NOTHING,
    recoveries: NOTHING,
    orphans: NOTHING,
    diagnoses: NOTHING,
    restored: NOTHING,
    announced: new Set(),
    begun: new Set(),
  };
}

const NAMED = 3;

/** Message that pods of the run were deleted during it; undefined if all are there. */
export function goneMessage({ gone, target }: Pick<Observed, 'gone' | 'target'>): string | undefined {
  if (gone.length === 0) return undefined;
  const names = gone.slice(0, NAMED).join(', ') + (gone.length > NAMED ? ' and others' : '');
  const all = target?.pods.length ?? gone.length;
  const cause = gone.length === all ? ': a rollout, or they were deleted' : '';
  return `gone since the run began: ${names} (${gone.length} of ${all} pods)${cause}`;
}

/**
 * The id of a question about a fault, and of its answer. All profiles besides the rules have the same, and an effect is
 * performed once: each question costs, and anyone with write access to the spec could otherwise query every profile.
 */
export function diagnosisKey(fault: string, profile: string): string {
  return `${fault}/diagnosis/${profile === RULES_PROFILE ? 'rules' : 'profile'}`;
}

/**
 * How a process recognises its own announcement of a fault. The id is not enough: two processes that decide on the same
 * object choose the same id.
 */
export function announcement(fault: { id: string; plannedAt: string }): string {
  return `${fault.id}@${fault.plannedAt}`;
}
