/** The requests between the thread that leads and a cell. Arguments and results are plain data. */
import type { ChaosDemoSpec } from '../../api/index.ts';
import type { DiagnosisProfile } from '../../diagnosis/index.ts';
import type { Activity, SubjectEffect } from '../../engine/effects.ts';
import type { Finding } from '../../engine/findings.ts';
import type { Admission, Target } from '../../engine/observed.ts';
import type { AdmissionRequest } from '../../engine/subject.ts';
import type { Cluster, ClusterLease } from '../../subjects/cluster.ts';

/** The connector of a subject in one term of leadership; a cell makes its own with the first request. */
export interface ConnectorOf {
  readonly id: number;
  /** The member of the spec that the subject has. */
  readonly member: string;
  readonly localPods: boolean;
}

/** As `Admitted`: what was opened is named, and stays in the cell. */
export interface AdmittedThere {
  readonly admission: Admission;
  readonly opened?: { readonly target: Target; readonly driver: number; readonly lease: number | undefined };
}

/** A finding of a driver, with the lines that its histories have got since the one before, by the id of their fault. */
export interface FoundThere {
  readonly finding: Finding;
  readonly lines: ReadonlyMap<string, readonly string[]>;
}

/** Requests to a cell. */
export type OfCell = {
  admit(connector: ConnectorOf, request: AdmissionRequest): AdmittedThere;
  findPodTemplate(connector: ConnectorOf, namespace: string, spec: ChaosDemoSpec): string | undefined;
  forget(connector: ConnectorOf, uid: string, keepLock: boolean): void;
  /** `permit`: the memory of a `LentPermit`. */
  perform(driver: number, effect: SubjectEffect, permit: SharedArrayBuffer): FoundThere;
  /** Reports {@link FoundThere}. */
  run(driver: number, activity: Activity): void;
  release(driver: number, fault: string): void;
  close(driver: number): void;
};

/** Names a lease, before it is acquired. */
export type LeaseOptions = Parameters<Cluster['lease']>[0];

/** Requests to the thread that leads. */
export type OfHost = {
  /** A method of {@link Cluster} without state; `signalAt`: which of its arguments is the signal. */
  read(connector: number, method: string, args: readonly unknown[], signalAt: number): unknown;
  acquire(
    connector: number,
    lease: number,
    options: LeaseOptions,
  ): Awaited<ReturnType<ClusterLease['acquire']>>;
  release(lease: number, keep: boolean): void;
};

/** What a cell is started with. */
export interface CellData {
  readonly logLevel: string;
  readonly identity: string;
  readonly faultCooldownMs: number;
  /** Models that may diagnose, as they were read at the start of the process. */
  readonly models: readonly DiagnosisProfile[];
  /** See {@link CellMemory}. */
  readonly memory: SharedArrayBuffer;
  /** Its place in the memory that all cells share, and that memory. */
  readonly place: number;
  readonly shared: SharedArrayBuffer;
}
