import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
/** What a terminal needs, and an operator does not. */
const OF_TERMINALS = /from '(ink|react|commander|string-width|wrap-ansi|echarts\/\w+)'/;

it('only src/cli imports packages for a terminal, so the image has none', async () => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const importing: string[] = [];
  for (const { name, parentPath } of files) {
    const path = join(parentPath, name);
    if (OF_TERMINALS.test(await readFile(path, 'utf8'))) importing.push(relative(root, path));
  }
  expect(importing.length).toBeGreaterThan(0);
  expect(importing.filter((file) => !file.startsWith('cli/'))).toEqual([]);
});
