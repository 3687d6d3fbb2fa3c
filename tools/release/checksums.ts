/** checksums.txt, which `sha256sum --check` reads, and whose signature covers every file. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assets, type Release } from './release.ts';

export const CHECKSUMS = 'checksums.txt';

export async function buildChecksums(release: Pick<Release, 'out'>): Promise<string> {
  const folder = assets(release);
  const lines = (await readdir(folder)).sort().map(async (name) => {
    const sha256 = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
    return `${sha256}  ${name}\n`;
  });
  const text = (await Promise.all(lines)).join('');
  await writeFile(join(folder, CHECKSUMS), text);
  return text;
}
