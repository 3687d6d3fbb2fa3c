import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { LIBRARIES } from './libraries.ts';
import { lockPage, RESULTS, readRuns } from './page.ts';

it('the page of locks is that of the stored runs', async () => {
  expect(await readFile(RESULTS.replace(/json$/, 'md'), 'utf8')).toBe(lockPage(await readRuns()));
});

it.each(LIBRARIES)('the version of $name is the pinned one', async ({ folder, name, version }) => {
  const pins = { node: 'package.json', python: 'requirements.txt', go: 'go.mod' };
  const pinned = await readFile(new URL(`${folder}/${pins[folder]}`, import.meta.url), 'utf8');
  const [library = ''] = name.replace(/^redis-py/, 'redis').split(' ');
  const line = pinned.split('\n').find((each) => each.includes(library) && each.includes(version));
  expect(line).toBeDefined();
});

it('several outcomes of one cell are counted', () => {
  const run = { library: 'redlock', setting: 'default', fault: 'Stall', at: '2026-01-01T', load: 1 } as const;
  const page = lockPage(['Hangs', 'Denies', 'Hangs'].map((summary) => ({ ...run, result: 'Held', summary })));
  expect(page).toContain('2 × Hangs, Denies');
});
