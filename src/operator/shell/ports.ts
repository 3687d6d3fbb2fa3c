/**
 * The shell's ports: the operator passes the API server, the system's clock and the registered subjects; the simulation
 * passes its own, and drives the same shell.
 */
import { type ChaosDemo, type ChaosDemoSpec, type ChaosDemoStatus, subjectPart } from '../../api/index.ts';
import type { Clock } from '../../engine/clock.ts';
import type { SubjectConnector, SubjectDefinition } from '../../engine/subject.ts';

/** A clock that stays as it is while the wall clock is set. */
export interface SystemClock extends Clock {
  /** Follows the wall clock again if it was set. Call it only while no times are being compared. */
  follow(): void;
}

/** The result of a guarded write. Every other failure (no answer, a failing server) is thrown. */
export type Write =
  | { readonly state: 'stored'; readonly demo: ChaosDemo }
  /** Conflict: another client wrote first, or the object was recreated: read again, decide again. Gone: it is no more. */
  | { readonly state: 'conflict' | 'gone' }
  /** The API server will never accept this: it violates the schema, or is too large. */
  | { readonly state: 'refused'; readonly error: Error };

/** ChaosDemos, read and written. Every write is guarded by uid and resourceVersion of the object it is given. */
export interface DemoApi {
  /** From the cache. */
  read(key: string): ChaosDemo | undefined;
  /** From the API server. @throws if it gave no usable answer */
  fetch(demo: ChaosDemo, signal: AbortSignal): Promise<ChaosDemo | undefined>;
  /** Stores the complete status: omitted fields are removed. @throws if the API server gave no usable answer */
  applyStatus(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write>;
  /** Replaces all finalizers. @throws as `applyStatus` */
  writeFinalizers(demo: ChaosDemo, finalizers: readonly string[], signal: AbortSignal): Promise<Write>;
}

/** Contents by file name. */
export type EvidenceFiles = Readonly<Record<string, string>>;

/** The store of evidence: one object for each run, deleted with its ChaosDemo. */
export interface EvidenceStore {
  /**
   * Writes these files of a run; others stay. Does not touch objects that are not owned by this
   * ChaosDemo.
   * @param uid returned by the last write; undefined: there was none, or it failed
   * @returns the uid of the object that has them now
   * @throws with what to do, if they were not written
   */
  keep(
    demo: ChaosDemo,
    run: number,
    files: EvidenceFiles,
    uid: string | undefined,
    signal: AbortSignal,
  ): Promise<string>;
  /** Removes the evidence of a run; returns whether this ChaosDemo had one. @throws as `keep` */
  remove(demo: ChaosDemo, run: number, signal: AbortSignal): Promise<boolean>;
}

/** A registered subject, as one term of leadership uses it. */
export interface ConnectedSubject {
  readonly definition: SubjectDefinition;
  readonly connector: SubjectConnector;
}

/** The subject that a spec is about; undefined: none of these. */
export function subjectOf(
  subjects: readonly ConnectedSubject[],
  spec: ChaosDemoSpec,
): ConnectedSubject | undefined {
  return subjects.find(({ definition }) => subjectPart(spec, definition.api.member) !== undefined);
}
