/** What people read of this project, and what of it `npm run check:prose` checks. */
import { globSync } from 'node:fs';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { root } from '../../src/local/root.ts';

/** A text without line breaks, and the line of its file on which it begins. */
export interface Passage {
  readonly line: number;
  readonly text: string;
}

/** Files of one kind. Without `read` they are Markdown. */
export interface Surface {
  readonly files: readonly string[];
  readonly read?: (content: string) => Passage[];
}

const REFERENCE = 'docs/reference.md';
const SURVEYS = ['docs/survey.md', 'docs/survey-locks.md'];
const files = (pattern: string): string[] =>
  globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }).sort();

const ALL = {
  documentation: {
    files: [...files('*.md'), ...files('{docs,packages,helm,survey}/**/*.md')].filter(
      (file) => ![REFERENCE, ...SURVEYS].includes(file),
    ),
  },
  survey: { files: SURVEYS },
  reference: { files: [REFERENCE] },
  'API descriptions': { files: files('crds/*.yaml'), read: descriptionsOf },
  alerts: { files: ['manifests/monitoring/alerts.yaml'], read: descriptionsOf },
  chart: {
    files: ['Chart', 'values'].map((name) => `helm/chaosdemo-operator/${name}.yaml`),
    read: chartTextsOf,
  },
  'notes of the chart': { files: ['helm/chaosdemo-operator/templates/NOTES.txt'], read: linesOf },
  bootstrap: { files: ['bootstrap.mjs'], read: stringsOf },
  messages: { files: files('{src,packages,test}/**/*.snap'), read: messagesOf },
} as const satisfies Record<string, Surface>;

export type SurfaceName = keyof typeof ALL;
export const SURFACE_NAMES = Object.keys(ALL) as SurfaceName[];

export const surface = (name: SurfaceName): Surface => ALL[name];

/** The paragraphs of each `description`, and of each `summary` of an alert, in YAML. */
export function descriptionsOf(yaml: string): Passage[] {
  const lineCounter = new LineCounter();
  const passages: Passage[] = [];
  visit(parseDocument(yaml, { lineCounter }), {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !/^(description|summary)$/.test(String(key.value)) || !isScalar(value)) return;
      const line = lineCounter.linePos(key.range?.[0] ?? 0).line;
      for (const text of String(value.value).split(/\n\n+/)) {
        passages.push({ line, text: text.replaceAll('\n', ' ') });
      }
    },
  });
  return passages;
}

/** Descriptions and comments of a chart. An example in a comment is indented. */
function chartTextsOf(yaml: string): Passage[] {
  const comments = [...yaml.matchAll(/(?:^ *# \S.*\n)+/gm)].map(({ 0: text, index }) => ({
    line: yaml.slice(0, index).split('\n').length,
    text: text.replaceAll(/^ *# /gm, '').replaceAll('\n', ' ').trim(),
  }));
  return [...descriptionsOf(yaml), ...comments];
}

/** Lines that begin with a word, without what is filled in: the others are commands and templates. */
function linesOf(text: string): Passage[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      /^[A-Z]/.test(line) ? [{ line: i + 1, text: line.replaceAll(/\{\{[^}]*\}\}/g, 'NAME') }] : [],
    );
}

/** The sentences in the strings of a program, each on one line. */
function stringsOf(program: string): Passage[] {
  return program.split('\n').flatMap((line, i) =>
    [...line.matchAll(/(['"`])((?:(?!\1).)*[a-z] [a-z](?:(?!\1).)*)\1/g)].map(([, , text = '']) => ({
      line: i + 1,
      text: text.replaceAll(/\$\{[^}]*\}/g, 'N'),
    })),
  );
}

/** The sentences in a snapshot file: each line, and each cell of a line, without tags, rules and frames. */
export function messagesOf(snapshots: string): Passage[] {
  return snapshots.split('\n').flatMap((whole, i) => {
    const line = whole.replace(/^exports\[`.*`\] = [`"]?(?:\[\w+: )?/, '');
    if (/^(?:\/\/|[`"]*;?$)/.test(line)) return [];
    const cells = line.replaceAll(/<[^>]*>/g, ' ').split(/[|│]|─+| {3,}/);
    return cells.flatMap((cell) => {
      const text = cell.replaceAll(/^[\s"#*>-]+|["`;\s]+$/g, '');
      return /[a-z]{2} /i.test(text) ? [{ line: i + 1, text }] : [];
    });
  });
}
