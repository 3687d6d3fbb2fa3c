/** The pipelines in ci/: they use what `chaosdemo test`, the script and each other have. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');
const all = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([match]) => match)),
];

it('the pipelines use options that chaosdemo test has', async () => {
  const [, examples = ''] = /options: \|\n((?: +--.*\n)+)/.exec(read('docs/gitops.md')) ?? [];
  const used = all(`${read('ci/test.sh')}${examples}`, /(?<=\s)--[a-z][a-z-]*/g);
  expect(used).toContain('--window');
  expect(used.length).toBeGreaterThan(8);
  const help = ['src/cli/chaosdemo.ts', 'test', '--help'];
  const { stdout } = await promisify(execFile)(process.execPath, help, { cwd: root });
  expect(used.filter((option) => !stdout.includes(` ${option} `))).toEqual([]);
});

it('the pipelines set variables that the script reads', () => {
  const script = read('ci/test.sh');
  const documented = all(script, /(?<=^# {3})CHAOSDEMO_\w+/gm).sort();
  const used = all(script, /(?<=\$\{)CHAOSDEMO_\w+/g).sort();
  expect(used).toEqual(documented);
  for (const file of ['ci/github/action.yml', 'ci/tekton.yaml']) {
    expect(all(read(file), /CHAOSDEMO_\w+/g).sort()).toEqual(documented);
  }
  // Its own variables name the clone.
  const ofGitLab = all(read('ci/gitlab.yml'), /CHAOSDEMO_(?!REPOSITORY|REVISION)\w+/g);
  expect(ofGitLab.filter((name) => !documented.includes(name))).toEqual([]);
});
