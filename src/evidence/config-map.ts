/**
 * Evidence of a run in the data of a ConfigMap: `run.json` with the run itself, `diagnosis-1.json` and so on with the
 * diagnosis of each scenario, and its history, see history-data.ts: the rest is drawn from that. Pure.
 *
 * Evidence read here is untrusted: anyone who can write ConfigMaps in the namespace may have written it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GROUP } from '../api/index.ts';
import { evidenceBundle } from './bundle.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { EvidenceError, historiesIn } from './history-data.ts';
import {
  type FaultEvidence,
  type RunEvidence,
  type RunPart,
  runPart,
  type ScenarioEvidence,
} from './run-evidence.ts';

/** Maximum bytes of a ConfigMap. */
const CONFIG_MAP_BYTES = 1024 * 1024;
const RUN_KEY = 'run.json';
const DIAGNOSIS_KEY = /^diagnosis-[1-8]\.json$/;
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

/** The data of `run.json`. */
export function runData(run: RunPart): Record<string, string> {
  return { [RUN_KEY]: JSON.stringify(run) };
}

/** The file with the diagnosis of the scenario at `index` of the spec (from 0). */
export function diagnosisData(index: number, whole: Diagnosis): Record<string, string> {
  return { [`diagnosis-${index + 1}.json`]: JSON.stringify(whole) };
}

/** Draws the lines of a history; undefined: they have nothing to draw. @throws if they are no history */
export type Draw = (lines: Iterable<string>) => Promise<FaultEvidence | undefined>;

/**
 * The evidence that could be read, with the lines of all histories; a problem is one sentence that names it without any
 * content.
 */
export type ReadEvidence =
  | { readonly evidence: RunEvidence; readonly history: string; readonly problem?: undefined }
  | { readonly problem: string; readonly evidence?: undefined };

const configMap = z.object({
  kind: z.literal('ConfigMap').optional(),
  data: z.record(z.string().max(MAX_NAME_LENGTH), z.string()),
});

/**
 * Reads a ConfigMap as returned by the API server, and draws its histories. Nothing in it is trusted: bytes, numbers and
 * depth are bounded, and every member is checked by its type. Texts are returned as stored: escape them for display.
 * @param draw of the subject; undefined: it records no histories
 */
export async function readRunEvidence(object: unknown, draw: Draw | undefined): Promise<ReadEvidence> {
  const parsed = configMap.safeParse(object);
  if (!parsed.success) return { problem: 'it is no ConfigMap with data of text' };
  const { data } = parsed.data;
  const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > CONFIG_MAP_BYTES) {
    return { problem: `it holds ${bytes} bytes, at most ${CONFIG_MAP_BYTES} are allowed` };
  }
  try {
    const { version: _, ...run } = readPart(data, RUN_KEY, runPart);
    const histories = historiesIn(data);
    const scenarios: ScenarioEvidence[] = [];
    for (const [number, lines] of histories) {
      const result = run.results[number - 1];
      const drawn = result && (await draw?.(lines.split('\n')).catch(() => notDrawn(number)));
      if (!drawn) continue;
      const bundle = checked(`the history of scenario ${number}`, evidenceBundle, drawn.bundle);
      scenarios.push({ ...drawn, name: result.scenario, bundle });
    }
    const diagnoses = Object.keys(data)
      .filter((key) => DIAGNOSIS_KEY.test(key))
      .toSorted()
      .map((key) => readPart(data, key, diagnosis));
    return { evidence: { ...run, scenarios, diagnoses }, history: [...histories.values()].join('') };
  } catch (error) {
    if (error instanceof EvidenceError) return { problem: error.message };
    throw error;
  }
}

/** Its reason may quote content. */
function notDrawn(number: number): never {
  throw new EvidenceError(`the history of scenario ${number} is not as it should be`);
}

/** @throws EvidenceError */
function readPart<T>(data: Readonly<Record<string, string>>, key: string, schema: z.ZodType<T>): T {
  const text = data[key];
  if (text === undefined) throw new EvidenceError(`it has no ${key}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new EvidenceError(`${key} is no JSON`);
  }
  return checked(key, schema, json);
}

/** @throws EvidenceError */
function checked<T>(key: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new EvidenceError(problemOf(key, parsed.error));
  return parsed.data;
}

/** The location of the problem, by members that the schema knows, and the problem. */
function problemOf(key: string, { issues: [issue] }: z.ZodError): string {
  const where = (issue?.path ?? []).slice(0, 8).map(String).join('.').slice(0, 100);
  return `${key} is not as it should be${where ? ` at ${where}` : ''}: ${issue?.code ?? 'unknown'}`;
}
