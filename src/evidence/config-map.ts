/**
 * Evidence of a run in the data of a ConfigMap: `run.json` with the run itself, `scenario-1.json` and so on with the
 * observations of each scenario, and `diagnosis-1.json` with its diagnosis. Finished parts are written once; only
 * changing ones are written again. Pure.
 *
 * Evidence read here is untrusted: anyone who can write ConfigMaps in the namespace may have written it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GROUP } from '../api/index.ts';
import type { EvidenceBundle } from './bundle.ts';
import { DIAGNOSIS_BYTES, type Diagnosis, diagnosis, diagnosisText } from './diagnosis.ts';
import { historyKey } from './history-data.ts';
import {
  MAX_SCENARIOS,
  RUN_EVIDENCE_BYTES,
  type RunEvidence,
  runEvidence,
  type ScenarioEvidence,
} from './run-evidence.ts';
import { MIN_POINTS, thinned } from './thin.ts';

const RUN_KEY = 'run.json';
const SCENARIO_KEY = /^scenario-[1-8]\.json$/;
const DIAGNOSIS_KEY = /^diagnosis-[1-8]\.json$/;
/** Maximum bytes of `run.json`; the rest is for the scenarios and their diagnoses. */
const RUN_BYTES = 32 * 1024;
/** Maximum length of object names and label values. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/** Labels by which ConfigMaps of evidence are found. */
export const EVIDENCE_LABELS = {
  /** Name of the ChaosDemo, cut if it is longer than a label may be. */
  demo: `${GROUP}/evidence-of`,
  /** Number of the run. */
  run: `${GROUP}/run`,
} as const;

/**
 * Name of the ConfigMap of one run: `<demo>-evidence-<run>`; a long name of the demo is cut, and made unique by a hash.
 */
export function evidenceName(demo: string, run: number): string {
  const end = `-evidence-${run}`;
  return `${cut(demo, MAX_NAME_LENGTH - end.length)}${end}`;
}

export function evidenceLabels(demo: string, run: number): Record<string, string> {
  return { [EVIDENCE_LABELS.demo]: cut(demo, MAX_LABEL_LENGTH), [EVIDENCE_LABELS.run]: String(run) };
}

function cut(name: string, most: number): string {
  if (name.length <= most) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, most - 9).replace(/[-.]+$/, '')}-${hash}`;
}

/** The members of `run.json`. */
const runPart = runEvidence.omit({ diagnoses: true, scenarios: true });
const scenarioPart = runEvidence.shape.scenarios.element.omit({ result: true });

export type RunPart = z.infer<typeof runPart>;

/** The data of `run.json`. */
export function runData(run: RunPart): Record<string, string> {
  return { [RUN_KEY]: JSON.stringify(run) };
}

/** The file with the diagnosis of the scenario at `index` of the spec (from 0). */
export function diagnosisData(index: number, whole: Diagnosis): Record<string, string> {
  return { [diagnosisKey(index)]: diagnosisText(whole) };
}

/**
 * The file of the scenario at `index` of the spec (from 0), with its series thinned out to fit into `bytes`. If not
 * even the fewest points fit, series are left out: those of the last replicas first. `thin` reports whether it was
 * thinned.
 */
export function scenarioData(
  index: number,
  evidence: ScenarioEvidence,
  bytes: number,
): { readonly data: Record<string, string>; readonly thin: boolean } {
  const { result: _, ...scenario } = evidence;
  const key = scenarioKey(index);
  const { series } = scenario.bundle;
  const textOf = (bundle: EvidenceBundle): string => JSON.stringify({ ...scenario, bundle });
  const bare = { ...scenario.bundle, series: series.map((one) => ({ ...one, points: [] })) };
  const room = bytes - Buffer.byteLength(textOf(bare));
  const points = pointsOf(scenario.bundle);
  const least = MIN_POINTS * series.length;
  let most = points;
  for (;;) {
    const bundle = thinned(scenario.bundle, most);
    const text = textOf(bundle);
    const size = Buffer.byteLength(text);
    if (size <= bytes) return { data: { [key]: text }, thin: most < points };
    if (most <= least) {
      const few = series.length === 0 ? undefined : withFewerSeries(bundle, (0.95 * bytes) / size);
      const data = few ? scenarioData(index, { ...scenario, bundle: few }, bytes).data : {};
      return { data, thin: true };
    }
    // The target for the points together, slightly low, so that another round is seldom needed.
    const share = (0.97 * Math.max(0, room)) / Math.max(1, size - (bytes - room));
    most = Math.max(least, Math.min(most - 1, Math.floor(pointsOf(bundle) * share)));
  }
}

/** About this share of the series, at least one fewer. */
function withFewerSeries(bundle: EvidenceBundle, share: number): EvidenceBundle {
  const numberOf = (component: string): number => Number(/^replica-(\d+)$/.exec(component)?.[1] ?? 0);
  const inOrder = bundle.series.toSorted((a, b) => numberOf(a.component) - numberOf(b.component));
  const most = Math.min(inOrder.length - 1, Math.floor(inOrder.length * share));
  const kept = new Set(inOrder.slice(0, most).map(({ id }) => id));
  return { ...bundle, series: bundle.series.filter(({ id }) => kept.has(id)) };
}

/** Names of files of scenarios that a ConfigMap may hold, and that are not among these. */
export function otherScenarioKeys(files: Readonly<Record<string, string>>): string[] {
  const all = Array.from({ length: MAX_SCENARIOS }, (_, index) => [
    scenarioKey(index),
    diagnosisKey(index),
    historyKey(index),
  ]);
  return all.flat().filter((key) => files[key] === undefined);
}

function diagnosisKey(index: number): string {
  return `diagnosis-${index + 1}.json`;
}

function scenarioKey(index: number): string {
  return `scenario-${index + 1}.json`;
}

function pointsOf({ series }: EvidenceBundle): number {
  return series.reduce((sum, { points }) => sum + points.length, 0);
}

/** Bytes available to each of `scenarios`, without its diagnosis. */
export function scenarioBytes(scenarios: number): number {
  const share = (RUN_EVIDENCE_BYTES - RUN_BYTES) / Math.max(1, Math.min(scenarios, MAX_SCENARIOS));
  return Math.floor(share) - DIAGNOSIS_BYTES;
}

/** The evidence that could be read; a problem is one sentence that names it without any content. */
export type ReadEvidence =
  | { readonly evidence: RunEvidence; readonly problem?: undefined }
  | { readonly problem: string; readonly evidence?: undefined };

const configMap = z.object({
  kind: z.literal('ConfigMap').optional(),
  data: z.record(z.string().max(MAX_NAME_LENGTH), z.string()),
});

/**
 * Reads a ConfigMap as returned by the API server. Nothing in it is trusted: bytes, numbers and depth are bounded, and
 * every member is checked by its type. Texts are returned as stored: escape them for display.
 */
export function readRunEvidence(object: unknown): ReadEvidence {
  const parsed = configMap.safeParse(object);
  if (!parsed.success) return { problem: 'it is no ConfigMap with data of text' };
  const { data } = parsed.data;
  const files = Object.keys(data)
    .filter((key) => key === RUN_KEY || SCENARIO_KEY.test(key) || DIAGNOSIS_KEY.test(key))
    .toSorted();
  const bytes = files.reduce((sum, key) => sum + Buffer.byteLength(data[key] ?? ''), 0);
  if (bytes > RUN_EVIDENCE_BYTES) {
    return { problem: `it holds ${bytes} bytes of evidence, at most ${RUN_EVIDENCE_BYTES} are allowed` };
  }
  const run = readPart(data, RUN_KEY, runPart);
  if ('problem' in run) return run;
  const scenarios: ScenarioEvidence[] = [];
  for (const key of files.filter((file) => SCENARIO_KEY.test(file))) {
    const scenario = readPart(data, key, scenarioPart);
    if ('problem' in scenario) return scenario;
    const known = run.part.results.find((one) => one.scenario === scenario.part.name);
    scenarios.push({ ...scenario.part, ...(known?.result !== undefined && { result: known.result }) });
  }
  const diagnoses: Diagnosis[] = [];
  for (const key of files.filter((file) => DIAGNOSIS_KEY.test(file))) {
    const read = readPart(data, key, diagnosis);
    if ('problem' in read) return read;
    diagnoses.push(read.part);
  }
  const evidence = runEvidence.safeParse({ ...run.part, scenarios, diagnoses });
  return evidence.success ? { evidence: evidence.data } : { problem: problemOf('evidence', evidence.error) };
}

function readPart<T>(
  data: Readonly<Record<string, string>>,
  key: string,
  schema: z.ZodType<T>,
): { readonly part: T } | { readonly problem: string } {
  const text = data[key];
  if (text === undefined) return { problem: `it has no ${key}` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: `${key} is no JSON` };
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { part: parsed.data } : { problem: problemOf(key, parsed.error) };
}

/** The location of the problem, by members that the schema knows, and the problem. */
function problemOf(key: string, { issues: [issue] }: z.ZodError): string {
  const where = (issue?.path ?? []).slice(0, 8).map(String).join('.').slice(0, 100);
  return `${key} is not as it should be${where ? ` at ${where}` : ''}: ${issue?.code ?? 'unknown'}`;
}
