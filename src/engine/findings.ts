/** Findings of effects and activities, and the one place that adds a finding to the observations of a session. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { DiagnosisReport } from '../evidence/index.ts';
import type { HealthSnapshot } from './health.ts';
import type {
  Admission,
  ControlOutcome,
  FaultReport,
  InvariantReading,
  Observed,
  OrphanFinding,
  Prepared,
  RecoveryReport,
  Restored,
  Target,
} from './observed.ts';
import { diagnosisKey, put } from './observed.ts';

export type Finding =
  /** Of `Admit`, for the spec of `generation`; or of a check right before a fault that shows the permission is gone. */
  | { kind: 'Admission'; admission: Admission; generation: number; at: number; target?: Target | undefined }
  /** Of `RecheckPreconditions`; parts that could not be determined are omitted. `gone`: names of pods of the run. */
  | { kind: 'PreconditionCheck'; admission?: Admission; gone?: readonly string[] }
  /** `podTemplate` undefined: not settled, or unknown. */
  | { kind: 'PodTemplate'; generation: number; at: number; podTemplate: string | undefined }
  | { kind: 'Health'; snapshot: HealthSnapshot }
  /** Of the control in Setup, or of one in the preparation of a fault that contradicts it. */
  | { kind: 'Baseline'; outcome: ControlOutcome }
  | { kind: 'Prepared'; fault: string; prepared: Prepared }
  | { kind: 'NotPrepared'; fault: string; message: string }
  /** This process is about to store the announcement of a fault: see `announcement`. */
  | { kind: 'Announced'; announcement: string }
  /** This process has begun to inject the fault of this id. */
  | { kind: 'Begun'; fault: string }
  | { kind: 'Fault'; fault: string; report: FaultReport }
  | { kind: 'Reading'; fault: string; reading: InvariantReading }
  | { kind: 'Recovery'; fault: string; report: RecoveryReport }
  | { kind: 'Orphan'; fault: string; orphan: OrphanFinding }
  | { kind: 'Diagnosis'; fault: string; profile: string; report: DiagnosisReport }
  | { kind: 'Restored'; effect: string; restored: Restored };

/** Returns the observations with the finding added. Does not modify `observed`. */
export function record(observed: Observed, finding: Finding): Observed {
  switch (finding.kind) {
    case 'Admission': {
      const { admission, at, generation, target = observed.target } = finding;
      return { ...observed, admission, lastAdmissionCheck: { generation, at }, target };
    }
    case 'PreconditionCheck':
      return {
        ...observed,
        admission: finding.admission ?? observed.admission,
        gone: finding.gone ?? observed.gone,
      };
    case 'PodTemplate': {
      const { at, generation, podTemplate } = finding;
      return { ...observed, podTemplate, lastPodTemplateCheck: { generation, at } };
    }
    case 'Health':
      return { ...observed, health: finding.snapshot };
    case 'Baseline':
      return { ...observed, baseline: finding.outcome };
    case 'Prepared':
      return { ...observed, prepared: put(observed.prepared, finding.fault, finding.prepared) };
    case 'NotPrepared':
      return { ...observed, prepareFailures: put(observed.prepareFailures, finding.fault, finding.message) };
    case 'Announced':
      return { ...observed, announced: new Set(observed.announced).add(finding.announcement) };
    case 'Begun':
      return { ...observed, begun: new Set(observed.begun).add(finding.fault) };
    case 'Fault':
      return { ...observed, faults: put(observed.faults, finding.fault, finding.report) };
    case 'Reading':
      return { ...observed, readings: put(observed.readings, finding.fault, finding.reading) };
    case 'Recovery':
      return { ...observed, recoveries: put(observed.recoveries, finding.fault, finding.report) };
    case 'Orphan':
      return { ...observed, orphans: put(observed.orphans, finding.fault, finding.orphan) };
    case 'Diagnosis':
      return {
        ...observed,
        diagnoses: put(observed.diagnoses, diagnosisKey(finding.fault, finding.profile), finding.report),
      };
    case 'Restored':
      return { ...observed, restored: put(observed.restored, finding.effect, finding.restored) };
    default:
      return finding satisfies never;
  }
}

/**
 * Whether a finding is a reason to decide again at once. Health and readings come many times a second and mostly repeat
 * what is known; their measurements are used by the next decision. `before`: the observations until then.
 */
export function callsForDecision(before: Observed, finding: Finding): boolean {
  if (finding.kind === 'Health') {
    const { health } = before;
    return health === undefined || !isDeepStrictEqual(essence(health), essence(finding.snapshot));
  }
  if (finding.kind === 'Reading') {
    const known = before.readings[finding.fault];
    const { complete, detectedAt, figure } = finding.reading;
    return (
      figure !== known?.figure ||
      (detectedAt !== undefined && known?.detectedAt === undefined) ||
      (complete === true && known?.complete !== true)
    );
  }
  if (finding.kind === 'PreconditionCheck') {
    const { admission = before.admission, gone = before.gone } = finding;
    return admission.state !== before.admission.state || gone.length !== before.gone.length;
  }
  // What is announced is decided on once it is stored: a store that fails must not call for another one.
  return finding.kind !== 'Announced' && finding.kind !== 'Begun';
}

function essence({ dependencies, hasIssues, pods }: HealthSnapshot): unknown {
  return { dependencies, hasIssues, pods };
}
