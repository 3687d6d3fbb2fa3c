/** The npm package, as `npm run build` makes it. npm gives its files a time and modes of its own, always the same. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../src/local/root.ts';
import { output } from '../run.ts';
import { assets, type Release } from './release.ts';

export async function buildNpmPackage(release: Release): Promise<void> {
  const folder = join(root, 'dist/chaosdemo');
  const file = join(folder, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as object;
  // npm compares it with the provenance.
  const repository = { type: 'git', url: `git+${release.project}.git` };
  await writeFile(file, `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`);
  const pack = ['pack', '--offline', '--ignore-scripts', folder];
  await output('npm', [...pack, '--pack-destination', assets(release)], release);
}
