/** The files of a release, as far as they need no container: built twice, the same each time. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildAssets, buildBundles } from '../../tools/release/build.ts';
import { folderOfFile } from '../kit/folder.ts';
import { runProgram, tool } from '../kit/program.ts';
import { kustomize, objectsOf, root } from './support/render.ts';

const digest = `sha256:${'1'.repeat(64)}`;
const repository = 'registry.example.com/team/chaosdemo-operator';
const image = `${repository}@${digest}`;
const folder = folderOfFile();
let version: string;
let checksums: string[];

async function build(name: string): Promise<string> {
  const out = join(folder, name);
  await mkdir(join(out, 'assets'), { recursive: true });
  await buildBundles({});
  const where = { registry: 'registry.example.com/team', project: 'https://git.example.com/chaosdemo', out };
  const what = { version, commit: 'c'.repeat(40), epoch: 1_700_000_000 };
  return await buildAssets({ ...what, ...where, progress: () => {} }, digest);
}

const asset = async (name: string): Promise<string> =>
  await readFile(join(folder, 'first/assets', name), 'utf8');

beforeAll(async () => {
  ({ version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string });
  checksums = [await build('first'), await build('second')];
});

it('two builds have the same checksums', () => {
  expect(checksums[0]?.trimEnd().split('\n').length).toBe(9);
  expect(checksums[1]).toBe(checksums[0]);
});

it('install.yaml has the objects of the kustomization, with the released image', async () => {
  const expected = (await kustomize('manifests/operator')).replace(
    /chaosdemo\.dev\/chaosdemo-operator:.*/,
    image,
  );
  expect(objectsOf(await asset('install.yaml'))).toEqual(objectsOf(expected));
  expect(expected).toContain(image);
});

it('the chart runs the released image', async () => {
  const chart = join(folder, `first/assets/chaosdemo-operator-${version}.tgz`);
  const { stdout } = await runProgram(await tool('helm'), [
    'template',
    'chaosdemo',
    chart,
    '--kube-version',
    'v1.36.0',
  ]);
  expect(objectsOf(stdout).length).toBeGreaterThan(5);
  expect(new Set(Array.from(stdout.matchAll(/image: "?([^"\s]+)/g), ([, name]) => name))).toEqual(
    new Set([image]),
  );
});

it('the SBOMs list the licensed packages of the bundles', async () => {
  for (const [name, bundles] of [
    ['chaosdemo-operator', 'image'],
    ['chaosdemo', 'chaosdemo'],
  ]) {
    const notices = await readFile(join(root, `dist/${bundles}/THIRD-PARTY.md`), 'utf8');
    const listed = Array.from(notices.matchAll(/^## (\S+) (\S+) \(/gm), ([, of, at]) => `${of}@${at}`).sort();
    const cdx = JSON.parse(await asset(`${name}.cdx.json`)) as { components: { 'bom-ref': string }[] };
    expect(cdx.components.map((each) => each['bom-ref']).sort()).toEqual([...new Set(listed)]);
    const spdx = JSON.parse(await asset(`${name}.spdx.json`)) as { packages: object[] };
    expect(spdx.packages.length).toBe(cdx.components.length + 1);
  }
});

it('the npm package names the repository that its provenance names', async () => {
  const archive = join(folder, `first/assets/chaosdemo-${version}.tgz`);
  const { stdout } = await runProgram('tar', ['-xzOf', archive, 'package/package.json']);
  expect(JSON.parse(stdout)).toMatchObject({
    repository: { url: 'git+https://git.example.com/chaosdemo.git' },
  });
});

it('krew gets the checksum of the archive', async () => {
  const { spec } = parse(await asset('chaosdemo.krew.yaml')) as { spec: { platforms: [{ sha256: string }] } };
  expect(checksums[0]).toContain(`${spec.platforms[0].sha256}  kubectl-chaosdemo-${version}.tar.gz`);
});
