import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { KINDS } from '../../src/subjects/index.ts';
import { replay } from '../../src/subjects/run/replay.ts';
import { LIBRARIES } from './libraries.ts';
import { HISTORIES, historyOf, lockPage, RESULTS, readRuns } from './page.ts';

it('the page of locks is that of the stored runs', async () => {
  expect(await readFile(RESULTS.replace(/json$/, 'md'), 'utf8')).toBe(lockPage(await readRuns()));
});

it.each(LIBRARIES)('the version of $name is the pinned one', async ({ folder, name, version }) => {
  const pins = { node: 'package.json', python: 'requirements.txt', go: 'go.mod', java: 'pom.xml' };
  const pinned = await readFile(new URL(`${folder}/${pins[folder]}`, import.meta.url), 'utf8');
  const [library = ''] = name
    .toLowerCase()
    .replace(/^redis-py/, 'redis')
    .split(' ');
  const line = pinned.split('\n').find((each) => each.includes(library) && each.includes(version));
  expect(line).toBeDefined();
});

it('several outcomes of one cell are counted', () => {
  const run = { library: 'redlock', setting: 'default', fault: 'Stall', at: '2026-01-01T', load: 1 } as const;
  const page = lockPage(['Hangs', 'Denies', 'Hangs'].map((summary) => ({ ...run, result: 'Held', summary })));
  expect(page).toContain('2 × Hangs, Denies');
});

it('each published history is judged again as the last run of its cell', async () => {
  const last = new Map((await readRuns()).map((run) => [historyOf(run), run]));
  for (const file of await readdir(HISTORIES)) {
    const text = gunzipSync(await readFile(join(HISTORIES, file))).toString();
    const [again] = await replay(text.split('\n'), KINDS);
    const { result, summary } = last.get(file) ?? {};
    expect({ file, result: again?.result, summary: again?.summary }).toEqual({ file, result, summary });
  }
});
