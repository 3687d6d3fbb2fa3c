/** `npm run docs`: the whole site, and pages that fail it. */

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from '@chaosdemo/testbed';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../../../src/local/root.ts';

/** What the site is made of. */
const SOURCES = [
  'tools/site',
  'README.md',
  'docs',
  'manifests/samples',
  'ci',
  'survey/README.md',
  'test/kit/README.md',
  'helm',
  'packages',
];
const PAGES = ['.github', 'CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** Builds the site of a folder that has `files`, and those of `more`. Its packages are those of this repository. */
async function build(files: readonly string[], more: Record<string, string> = {}) {
  await mkdir(join(root, 'dist'), { recursive: true });
  const folder = await mkdtemp(join(root, 'dist/site-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const file of files) await cp(join(root, file), join(folder, file), { recursive: true });
  for (const [file, text] of Object.entries(more)) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  const vitepress = join(root, 'node_modules/vitepress/bin/vitepress.js');
  const { ok, stdout, stderr } = await attempt(process.execPath, [vitepress, 'build', 'tools/site'], {
    cwd: folder,
  });
  const read = async (path: string): Promise<string> =>
    await readFile(join(folder, 'dist/site', path), 'utf8');
  return { ok, wrote: stdout + stderr, read };
}

/** A site of two pages, the second with this text. */
const small = (text: string) => ({
  'README.md': '# Title\n\n**Question?** Text.\n\nAnswer.\n\n[A page](docs/page.md)\n',
  'docs/page.md': `# A page\n\n${text}\n`,
});

it('the site has the README as its home, all pages, and the files that they link to', async () => {
  const { ok, wrote, read } = await build([...SOURCES, ...PAGES]);
  expect(wrote).toContain('build complete');
  expect(ok).toBe(true);
  const home = await read('index.html');
  const [, question = ''] = /^\*\*(.+)\*\*/m.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? [];
  expect(home.split(question)).toHaveLength(2);
  expect(home).toContain('href="/chaosdemo-operator/docs/your-limiter.html#test-on-your-machine"');
  for (const page of ['reference', 'survey', 'research/benchmarks']) {
    expect(await read(`docs/${page}.html`)).toContain('<h1');
  }
  expect(await read('manifests/samples/your-limiter.yaml')).toContain('kind: ChaosDemo');
});

it.each([
  ['a link to a page that does not exist', '[a page](gone.md)', 'gone'],
  ['a link to a file that does not exist', '[a file](../manifests/gone.yaml)', 'gone.yaml'],
  ['an image that does not exist', '![an image](pictures/gone.svg)', 'gone.svg'],
  ['an image in HTML that does not exist', '<p><img src="pictures/gone.svg" alt="x"></p>', 'gone.svg'],
])('%s fails the build of the site', async (_, text, named) => {
  const { ok, wrote } = await build(['tools/site'], small(text));
  expect(wrote).toContain(named);
  expect(ok).toBe(false);
});

it('a small site without such a page is built', async () => {
  expect(await build(['tools/site'], small('A text.'))).toMatchObject({ ok: true });
});
