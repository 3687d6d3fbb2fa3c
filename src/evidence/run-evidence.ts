/**
 * The evidence of a run: the bundle of each scenario, drawn from its history, and around it what a diagnosis must not
 * know: pods, chapters, faults, results, and the diagnoses.
 */
import { z } from 'zod';
import { LIMITS } from '../api/index.ts';
import type { EvidenceBundle } from './bundle.ts';
import type { Diagnosis } from './diagnosis.ts';

/** Changes with the meaning of the evidence. */
export const RUN_EVIDENCE_VERSION = 'run-evidence/v3';

/** Maximum scenarios of a run. */
export const MAX_SCENARIOS = 8;

/** Milliseconds since `originMs`; up to a year, since a run may wait for a person. */
const moment = z.number().min(-86_400_000).max(31_536_000_000);
const text = z.string().max(256);

/** The state of each scenario of the run, also if there is no evidence of it. */
const result = z.strictObject({
  scenario: z.string().max(63),
  type: z.string().max(32),
  expect: z.string().max(16),
  /** Missing until it is known. */
  result: z.string().max(32).optional(),
  /** As in the columns of kubectl: "30 > 5". */
  summary: z.string().max(32).optional(),
  message: z.string().max(512).optional(),
});

/** The run itself. */
export const runPart = z.strictObject({
  version: z.literal(RUN_EVIDENCE_VERSION),
  demo: z.strictObject({
    namespace: z.string().max(63),
    name: z.string().max(253),
    uid: z.string().max(128),
  }),
  run: z.strictObject({ number: z.int().min(1), runId: z.string().max(128).optional() }),
  /** Milliseconds since the epoch, by the operator's clock; all times are relative to it. */
  originMs: z.int(),
  chapters: z
    .array(z.strictObject({ name: z.string().max(64), fromMs: moment, toMs: moment.optional() }))
    .max(LIMITS.chapters),
  results: z.array(result).max(MAX_SCENARIOS),
  /** How the run ended, once it has. */
  verdict: z
    .strictObject({ phase: z.string().max(16), reason: z.string().max(64), message: z.string().max(512) })
    .optional(),
  /** Whether the run has ended and nothing will be added. */
  complete: z.boolean(),
  /** Data omitted to stay within bounds, or not observed, for people; empty: none. */
  leftOut: text,
});

export type RunPart = z.infer<typeof runPart>;

export interface RunEvidence extends Omit<RunPart, 'version'> {
  /** Those that were observed, in the sequence of the spec. */
  readonly scenarios: ScenarioEvidence[];
  /** Of scenarios in which a violation was detected. */
  readonly diagnoses: Diagnosis[];
}

/** The observations in the history of a fault, drawn. Milliseconds since the epoch. */
export interface FaultEvidence {
  /**
   * The origin of the times in the bundle: the start of the fault, of several bursts that of the one shown; if none has
   * begun, when its callers were set up.
   */
  readonly originMs: number;
  /** Names of components with the pods behind them; the store may have several. */
  readonly pods: readonly { readonly component: string; readonly pod: string }[];
  /** Time ranges; one without `to` is still open. */
  readonly bands: readonly {
    readonly kind: 'countdown' | 'fault' | 'settle' | 'burst';
    readonly from: number;
    readonly to?: number;
  }[];
  /** When the invariant was broken, and when that was known. */
  readonly detections: readonly { readonly at: number; readonly kind: 'broken' | 'detected' }[];
  readonly bundle: EvidenceBundle;
}

export interface ScenarioEvidence extends FaultEvidence {
  readonly name: string;
}
