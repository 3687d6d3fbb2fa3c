/** Each rule of language flags what it must, and nothing else. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { descriptionsOf, messagesOf } from '../../../tools/prose/surfaces.ts';
import { checkFiles, checkPassages, type Finding, STYLE } from '../../../tools/prose/vale.ts';
import { folderOfFile } from '../../kit/folder.ts';
import { tool } from '../../kit/program.ts';

type Examples = Record<string, { readonly flagged: readonly string[]; readonly fine: readonly string[] }>;

const yaml = async (file: string): Promise<unknown> => parse(await readFile(file, 'utf8'));
const rules = (await readdir(STYLE)).map((file) => basename(file, '.yml'));
const examples = (await yaml(join(STYLE, '../../examples.yml'))) as Examples;

let vale: string;
const folder = folderOfFile();
let findings: readonly Finding[];

/** Rules that an example breaks. All are checked in one go. */
const broken = (file: string): string[] =>
  findings.filter((finding) => basename(finding.file) === file).map(({ rule }) => rule);

beforeAll(async () => {
  vale = await tool('vale');
  const texts = Object.entries(examples).flatMap(([rule, each]) =>
    (['flagged', 'fine'] as const).flatMap((kind) =>
      each[kind].map((text, i) => ({ path: join(folder, `${rule}.${kind}.${i}.md`), text })),
    ),
  );
  await Promise.all(texts.map(({ path, text }) => writeFile(path, `${text}\n`)));
  findings = await checkFiles(
    vale,
    texts.map(({ path }) => path),
  );
});

describe.each(rules)('%s', (rule) => {
  const { flagged, fine } = examples[rule] ?? { flagged: [], fine: [] };

  it(`${rule} flags its examples, and no rule flags texts that are fine`, () => {
    expect(flagged.length).toBeGreaterThan(0);
    expect(fine.length).toBeGreaterThan(0);
    expect(flagged.filter((_, i) => !broken(`${rule}.flagged.${i}.md`).includes(rule))).toEqual([]);
    expect(fine.flatMap((text, i) => broken(`${rule}.fine.${i}.md`).map((by) => ({ text, by })))).toEqual([]);
  });
});

it('a finding in a description or a message has the line of its file', async () => {
  const yaml = 'a: 1\nspec:\n  description: |-\n    Redis is fine.\n\n    It is fine\n    as well, simply.\n';
  const snapshot = 'exports[`a message 1`] = `\n"Redis is fine.\n│ Nobody waits. │ simply so │"\n`;\n';
  const places = async (file: string, passages: Parameters<typeof checkPassages>[2]) =>
    (await checkPassages(vale, file, passages)).map(({ file, line, match }) => ({ file, line, match }));
  expect(await places('crd.yaml', descriptionsOf(yaml))).toEqual([
    { file: 'crd.yaml', line: 3, match: 'simply' },
  ]);
  expect(await places('a.snap', messagesOf(snapshot))).toEqual([
    { file: 'a.snap', line: 3, match: 'Nobody' },
    { file: 'a.snap', line: 3, match: 'simply' },
  ]);
});
