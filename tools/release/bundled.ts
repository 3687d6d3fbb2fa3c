/** The software of others in a bundle: its packages, whether their licences permit it, and the texts of these. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** The only list: what is bundled under another licence fails the build. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

/** Of a package.json. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Whether an SPDX expression without nested parentheses permits bundling. */
export function isAllowed(expression: string): boolean {
  return expression
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((name) => ALLOWED.has(name)));
}

/**
 * Writes `folder`/THIRD-PARTY.md with the licence of each package in what esbuild built, and `folder`.bundled.json with
 * their folders, for the SBOM. Fails if a licence is not allowed.
 */
export async function writeBundled(
  root: string,
  folder: string,
  built: readonly { readonly metafile: Metafile }[],
): Promise<void> {
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = [
    ...new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [])),
  ].sort();
  const parts = await Promise.all(folders.map((each) => termsOf(join(root, each))));
  await writeFile(join(folder, 'THIRD-PARTY.md'), `# Bundled software\n\n${parts.join('\n')}`);
  await writeFile(`${folder}.bundled.json`, `${JSON.stringify(folders, null, 2)}\n`);
}

async function termsOf(folder: string): Promise<string> {
  const manifest = await readFile(join(folder, 'package.json'), 'utf8');
  const { name, version, license = 'none' } = JSON.parse(manifest) as Manifest;
  if (!isAllowed(license)) throw new Error(`${name} ${version} cannot be bundled: its licence is ${license}`);
  const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const terms = file ? (await readFile(join(folder, file), 'utf8')).trim() : `Licence: ${license}`;
  return `## ${name} ${version} (${license})\n\n${terms}\n`;
}
