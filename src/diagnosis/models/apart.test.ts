import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../', import.meta.url));

/** What each file of src imports when it is loaded, tests and their fixtures left out. */
async function importsOf(): Promise<{ file: string; from: string }[]> {
  const entries = await readdir(src, { recursive: true, withFileTypes: true });
  const files = entries.filter(({ name }) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name));
  const found = files.map(async ({ name, parentPath }) => {
    const path = join(parentPath, name);
    const text = await readFile(path, 'utf8');
    return [...text.matchAll(/^(?:import|export)(?! type\b)[^;]*?from '([^']+)';/gms)].map(
      ([, from = '']) => ({
        file: relative(src, path),
        from,
      }),
    );
  });
  return (await Promise.all(found)).flat();
}

it('no module that is loaded at start imports models or their SDK', async () => {
  const imports = await importsOf();
  expect(imports.length).toBeGreaterThan(500);
  const sdk = imports.filter(({ from }) => /^(ai$|@ai-sdk\/)/.test(from));
  expect([...new Set(sdk.map(({ file }) => file))]).toEqual(['diagnosis/models/query-model.ts']);
  const outside = imports.filter(
    ({ file, from }) =>
      (/\/models\//.test(from) && !file.startsWith('diagnosis/models/')) || from.endsWith('/query-model.ts'),
  );
  expect(outside).toEqual([]);
});
