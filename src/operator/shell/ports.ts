/**
 * What the shell needs of the world, as ports: the operator passes the API
 * server, the system's clock and the registered subjects; the simulation passes
 * its own, and drives the very same shell.
 */
import { type ChaosDemo, type ChaosDemoSpec, type ChaosDemoStatus, subjectPart } from '../../api/index.ts';
import type { SubjectConnector, SubjectDefinition } from '../../demo/subject.ts';

/** The end of a guarded write. Every other failure (no answer, a server in trouble) is thrown. */
export type Write =
  | { readonly state: 'stored'; readonly demo: ChaosDemo }
  /** Another client wrote first, or the object was recreated: read again, decide again. */
  | { readonly state: 'conflict' }
  /** There is no such object any more. */
  | { readonly state: 'gone' }
  /** The API server will never take this: it is against the schema, or too large. */
  | { readonly state: 'refused'; readonly error: Error };

/** ChaosDemos, read and written. Every write is guarded by uid and resourceVersion of the object it is given. */
export interface DemoApi {
  /** From the cache. */
  read(key: string): ChaosDemo | undefined;
  /** From the API server. @throws if it gave no usable answer */
  fetch(demo: ChaosDemo, signal: AbortSignal): Promise<ChaosDemo | undefined>;
  /** Stores the complete status: omitted fields are removed. @throws if the API server gave no usable answer */
  applyStatus(demo: ChaosDemo, status: ChaosDemoStatus, signal: AbortSignal): Promise<Write>;
  /** Does nothing if it is there. @throws as `applyStatus` */
  addFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write>;
  /** Does nothing if it is not there. @throws as `applyStatus` */
  removeFinalizer(demo: ChaosDemo, signal: AbortSignal): Promise<Write>;
}

/** Contents by the name of the file; null: it is removed. */
export type EvidenceFiles = Readonly<Record<string, string | null>>;

/** The store of evidence: one object for each run, deleted with its ChaosDemo. */
export interface EvidenceStore {
  /**
   * Writes these files of a run, or removes them; others stay. What belongs to anyone but this ChaosDemo is left alone.
   * @param uid what the last write returned; undefined: there was none, or it failed
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
  /** Removes that of a run; returns whether there was one of this ChaosDemo. @throws as `keep` */
  remove(demo: ChaosDemo, run: number, signal: AbortSignal): Promise<boolean>;
}

/** A registered subject, as one term of leadership uses it. */
export interface ConnectedSubject {
  readonly definition: SubjectDefinition;
  readonly connector: SubjectConnector;
}

/** By the member of `spec` that each has. */
export type ConnectedSubjects = ReadonlyMap<string, ConnectedSubject>;

/** The subject that a spec is about; undefined: none of these. */
export function subjectOf(subjects: ConnectedSubjects, spec: ChaosDemoSpec): ConnectedSubject | undefined {
  for (const [member, subject] of subjects) {
    if (subjectPart(spec, member) !== undefined) return subject;
  }
  return undefined;
}
