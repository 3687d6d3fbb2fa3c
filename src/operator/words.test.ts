import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What holds for every subject, and so speaks of none: not in code, not in comments, not in messages. */
const FOLDERS = ['src/api', 'src/engine', 'src/operator', 'packages/kube-runtime', 'test/simulation'];

/** Words of the subjects that there are. A new subject adds its own. */
const WORDS = [
  /redis/i,
  /rate.?limit/i,
  /\blimiters?\b/i,
  /counter.?drift/i,
  /\bdrift(s|ed)?\b/i,
  /ghost/i,
  /\bbursts?\b/i,
  /key.?prefix/i,
  /key.?value/i,
];

/** It names the words. */
const THIS = 'src/operator/words.test.ts';

it('of a subject stand in the folder of that subject alone', async () => {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const file = relative(root, path);
      for (const [index, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
        if (file !== THIS && WORDS.some((word) => word.test(line)))
          found.push(`${file}:${index + 1}: ${line.trim()}`);
      }
    }
  }
  expect(found).toEqual([]);
});
