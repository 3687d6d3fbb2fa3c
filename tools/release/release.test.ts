/** What a release says of itself: checksums, krew's manifest, bills of materials, licences, commands of the documentation. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { folderOfTest } from '../../test/kit/folder.ts';
import { isAllowed, writeBundled } from './bundled.ts';
import { buildChecksums } from './checksums.ts';
import { krewManifest } from './plugin.ts';
import { scriptOf } from './rehearse.ts';
import { bundledPackages } from './sbom.ts';

describe('the checksums', () => {
  it('are those that sha256sum checks', async () => {
    const out = folderOfTest();
    const folder = join(out, 'assets');
    await mkdir(folder);
    await writeFile(join(folder, 'b.txt'), 'b');
    await writeFile(join(folder, 'a.txt'), 'a');
    expect((await buildChecksums({ out })).match(/\S+\.txt/g)).toEqual(['a.txt', 'b.txt']);
    const check = () =>
      execFileSync('sha256sum', ['--check', '--quiet', 'checksums.txt'], { cwd: folder, stdio: 'pipe' });
    check();
    await writeFile(join(folder, 'a.txt'), 'other');
    expect(check).toThrow('did NOT match');
  });
});

describe('the manifest for krew', () => {
  it('names one archive for Linux and macOS', () => {
    const archive = { url: 'https://git.example.com/plugin.tar.gz', sha256: 'f'.repeat(64) };
    expect(krewManifest({ project: 'https://git.example.com', version: '1.2.3' }, archive)).toMatchObject({
      kind: 'Plugin',
      metadata: { name: 'chaosdemo' },
      spec: {
        version: 'v1.2.3',
        platforms: [{ uri: archive.url, sha256: archive.sha256, bin: 'kubectl-chaosdemo.mjs' }],
      },
    });
  });
});

describe('an SBOM', () => {
  const folders = ['node_modules/a', 'node_modules/a/node_modules/c', 'node_modules/b'];
  const all = {
    'node_modules/a': {
      version: '1.0.0',
      license: 'MIT',
      dev: true,
      dependencies: { b: '^2.0.0', c: '^1.0.0' },
    },
    'node_modules/a/node_modules/c': { version: '1.0.0', dependencies: { b: '^2.0.0' } },
    'node_modules/b': { version: '2.0.0', dependencies: { c: '^2.0.0' } },
    'node_modules/c': { version: '2.0.0' },
  };

  it('has the bundled packages, and of their dependencies those that are bundled', () => {
    const packages = bundledPackages(all, folders);
    expect(Object.keys(packages)).toEqual(folders);
    expect(Object.values(packages).map(({ dependencies }) => dependencies)).toEqual([
      { b: '^2.0.0', c: '^1.0.0' },
      { b: '^2.0.0' },
      {},
    ]);
    expect(packages['node_modules/a']).not.toHaveProperty('dev');
  });
});

describe('licences', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND ISC', true],
    ['MIT AND GPL-3.0-only', false],
    ['GPL-3.0-only', false],
    ['SEE LICENSE IN LICENSE', false],
    ['undefined', false],
  ])('%s: allowed is %s', (expression, allowed) => {
    expect(isAllowed(expression)).toBe(allowed);
  });

  it('fail a build that bundles another one, by its name', async () => {
    const root = folderOfTest();
    const folder = join(root, 'node_modules/@a/b');
    await mkdir(folder, { recursive: true });
    await mkdir(join(root, 'bundle'));
    const built = [{ metafile: { inputs: { 'node_modules/@a/b/lib/index.js': {} } } as unknown as Metafile }];
    const write = async (license: string) => {
      await writeFile(
        join(folder, 'package.json'),
        JSON.stringify({ name: '@a/b', version: '1.0.0', license }),
      );
      await writeBundled(root, join(root, 'bundle'), built);
    };
    await write('MIT');
    await expect(write('GPL-3.0-only')).rejects.toThrow('@a/b 1.0.0');
  });
});

it('the documentation has commands for each step of a rehearsal', async () => {
  const verify = await scriptOf('docs/install.md', 'Verify a release');
  for (const command of ['verify-blob', 'sha256sum', 'verify ', 'verify-attestation'])
    expect(verify).toContain(command);
  expect(verify).not.toContain('gh ');
  expect(await scriptOf('docs/install.md', 'Install with kubectl')).toContain('install.yaml');
  expect(await scriptOf('docs/install.md', 'Install with Helm')).toMatch(/^helm upgrade chaosdemo /m);
  expect(await scriptOf('docs/plugin.md', 'Install')).toMatch(/^kubectl krew install/m);
});
