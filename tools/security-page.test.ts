import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

it('docs/security.md names tests that there are, for every boundary', () => {
  const page = readFileSync(`${root}docs/security.md`, 'utf8');
  const named = [...page.matchAll(/`((?:src|test|bench|tools)\/[^` ]+\.test\.ts)`/g)].map(
    ([, file]) => file ?? '',
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !existsSync(root + file))).toEqual([]);
});
