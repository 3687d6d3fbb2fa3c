/**
 * `npm run generate`: writes the CRD and docs/reference.md from the registered subjects, with the metrics and flags of the
 * operator, and the table of docs/configure.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { helpText } from '@chaosdemo/settings';
import { LIBRARIES } from '../../src/cli/libraries.ts';
import { OPERATOR } from '../../src/operator/config.ts';
import { createMetrics } from '../../src/operator/metrics/metrics.ts';
import { SUBJECTS } from '../../src/subjects/index.ts';
import { IDLE } from '../../test/fixtures/operator/metrics/idle.ts';
import { apiReference } from './api-reference.ts';
import { crdYaml } from './crd.ts';
import { EVENT_REASONS } from './event-texts.ts';
import { alignedTable, code, definitions } from './markdown.ts';

const root = new URL('../../', import.meta.url);
const APIS = SUBJECTS.map(({ definition }) => definition.api);

/** Every generated file: its path from the root of the project, and its text. */
export async function generatedFiles(): Promise<[path: string, text: string][]> {
  return [
    ['crds/chaosdemo.dev_chaosdemos.yaml', crdYaml(APIS)],
    ['docs/reference.md', await referenceMarkdown()],
    ['docs/configure.md', await withSettings('docs/configure.md')],
  ];
}

/** The page with its table made again. */
async function withSettings(page: string): Promise<string> {
  const rows = LIBRARIES.map(({ name, outcome, setting }) => [name, setting, outcome]);
  const made = alignedTable(['limiter', 'setting', 'outcome'], rows);
  return (await readFile(new URL(page, root), 'utf8')).replace(/(?:^\|.*\n)+/m, () => `${made}\n`);
}

async function referenceMarkdown(): Promise<string> {
  const sections = [
    '<!-- Generated from src/api, src/subjects and src/operator by "npm run generate". Do not edit. -->\n\n# Reference',
    ...apiReference(APIS),
    eventSection(),
    await metricSection(),
    flagSection(),
  ];
  return `${sections.join('\n\n')}\n`;
}

function eventSection(): string {
  const list = Object.entries(EVENT_REASONS).map(([reason, meaning]) => [code(reason), meaning] as const);
  return `## Events

${definitions(list)}

A precondition that is not met is also an event, and so is a wait before a run, under its own [reason](#reasons).`;
}

async function metricSection(): Promise<string> {
  const { registry } = createMetrics(IDLE, APIS);
  const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => !/^(process|nodejs)_/.test(name));
  const last = new Map<string, string>();
  const list = metrics.map(({ name, type, help, values }) => {
    const labels = labelsOf(values, last);
    return [`${code(name)} (${[type, ...labels].join('; ')})`, help] as const;
  });
  return `## Metrics of the operator

Served under \`/metrics\`, next to the default metrics of the process. A label without values has those of the last metric
that lists them, or more than ten.

${definitions(list)}`;
}

/** "result: success, error": every label with its values, unless they are many or those of `last`. Without bucket bounds. */
function labelsOf(series: readonly { readonly labels: object }[], last: Map<string, string>): string[] {
  const values = new Map<string, Set<string>>();
  for (const [label, value] of series.flatMap(({ labels }) => Object.entries(labels))) {
    if (label !== 'le') values.set(label, (values.get(label) ?? new Set()).add(String(value)));
  }
  return [...values].map(([label, set]) => {
    const shown = [...set].map(code).join(', ');
    if (set.size > 10 || last.get(label) === shown) return code(label);
    last.set(label, shown);
    return `${code(label)}: ${shown}`;
  });
}

function flagSection(): string {
  return `## Flags and environment of the operator

\`\`\`text
${helpText(OPERATOR).trimEnd()}
\`\`\``;
}

if (import.meta.main) {
  for (const [path, text] of await generatedFiles()) await writeFile(new URL(path, root), text);
}
