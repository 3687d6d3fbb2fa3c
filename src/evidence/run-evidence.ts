/**
 * The evidence of a run as it is kept beside the ChaosDemo, for whoever looks at it: the bundle of each scenario,
 * and around it what a diagnosis must not know: pods, chapters, faults, results.
 */
import { z } from 'zod';
import { evidenceBundle } from './bundle.ts';

/** Changes with the meaning of what is kept. */
export const RUN_EVIDENCE_VERSION = 'run-evidence/v1';

/** Bytes of one run's evidence as JSON, at most. */
export const RUN_EVIDENCE_BYTES = 256 * 1024;

/** Milliseconds since `originMs`. */
const moment = z.int().min(-86_400_000).max(86_400_000);

const band = z.strictObject({
  kind: z.enum(['countdown', 'fault', 'settle', 'burst']),
  fromMs: moment,
  /** Not there while it lasts. */
  toMs: moment.optional(),
  text: z.string().max(256),
});

const mark = z.strictObject({ atMs: moment, text: z.string().max(256) });

const scenario = z.strictObject({
  name: z.string().max(63),
  type: z.string().max(32),
  result: z.string().max(32).optional(),
  /** Names of components in the bundle, with the pods behind them. */
  pods: z.array(z.strictObject({ component: z.string().max(32), pod: z.string().max(253) })).max(65),
  /** The origin of the bundle's times on the clock of the run. */
  bundleAtMs: moment,
  bands: z.array(band).max(16),
  detections: z.array(mark).max(16),
  bundle: evidenceBundle,
});

export const runEvidence = z.strictObject({
  version: z.literal(RUN_EVIDENCE_VERSION),
  demo: z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() }),
  run: z.strictObject({ number: z.int().min(1), runId: z.string().max(128).optional() }),
  /** Milliseconds since the epoch, by the operator's clock; all times are relative to it. */
  originMs: z.int(),
  chapters: z
    .array(z.strictObject({ name: z.string().max(64), fromMs: moment, toMs: moment.optional() }))
    .max(32),
  scenarios: z.array(scenario).max(8),
  /** Whether the run has ended and nothing will be added. */
  complete: z.boolean(),
  /** What was left out to stay within bounds, for people; empty: nothing. */
  leftOut: z.string().max(256),
});

export type RunEvidence = z.infer<typeof runEvidence>;
export type ScenarioEvidence = RunEvidence['scenarios'][number];
export type EvidenceBand = ScenarioEvidence['bands'][number];
