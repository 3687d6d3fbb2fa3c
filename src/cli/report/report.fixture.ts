/** A real run for tests of reports, as `npm run demo` made it, and variants of it. */
import { readFileSync } from 'node:fs';
import type { ChaosDemo } from '../../api/index.ts';
import { type RunEvidence, readRunEvidence } from '../../evidence/index.ts';

/** Members that hold text of anybody, whose value decides nothing. */
const TEXTS = new Set([
  'alternatives',
  'anomaly',
  'displayName',
  'leftOut',
  'message',
  'model',
  'pod',
  'profile',
  'reason',
  'recommendation',
  'runId',
  'summary',
  'text',
  'title',
  'truth',
  'unit',
]);

/** The object and its evidence, read as from an API server. Each call has copies of its own. */
export function recordedRun(): { demo: ChaosDemo; evidence: RunEvidence } {
  const { evidence, problem } = readRunEvidence(recordedConfigMap());
  if (!evidence) throw new Error(problem);
  return { demo: recorded().demo, evidence };
}

/** The ConfigMap with its evidence. */
export function recordedConfigMap(): { kind: 'ConfigMap'; data: Record<string, string> } {
  const data = Object.entries(recorded().evidence).map(([name, part]) => [name, JSON.stringify(part)]);
  return { kind: 'ConfigMap', data: Object.fromEntries(data) };
}

function recorded() {
  const file = new URL('recorded-run.fixture.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as { demo: ChaosDemo; evidence: Record<string, object> };
}

/** The same with this text wherever a text of anybody stands. */
export function withTextsOf<T>(value: T, text: string): T {
  if (Array.isArray(value)) return value.map((item) => withTextsOf(item, text)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      TEXTS.has(name) && typeof member === 'string' ? text : withTextsOf(member, text),
    ]),
  ) as T;
}
