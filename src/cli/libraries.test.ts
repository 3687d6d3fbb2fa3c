import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { LIBRARIES, librariesIn, settingsText } from './libraries.ts';

const surveyed = fileURLToPath(new URL('../../survey/limiters', import.meta.url));

it('finds the library of each program of the survey, and no other', async () => {
  const folders = (await readdir(surveyed)).map((name) => join(surveyed, name, 'app'));
  const found = await Promise.all(folders.map(librariesIn));
  expect(found.map(({ length }) => length)).toEqual(folders.map(() => 1));
  expect(new Set(found.flat())).toEqual(new Set(LIBRARIES));
});

it.each([
  ['pyproject.toml', 'dependencies = ["Flask_Limiter[redis]>=4", "slowapi"]', ['flask-limiter', 'slowapi']],
  ['build.gradle', "implementation 'com.bucket4j:bucket4j_jdk17-lettuce:8.1'", ['Bucket4j']],
  ['go.mod', `${'x'.repeat(256 * 1024)} github.com/ulule/limiter/v3`, []],
])('finds libraries only at the beginning of a dependency file: %s', async (file, content, names) => {
  const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-libraries-'));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  await writeFile(join(folder, file), content);
  const found = await librariesIn(folder);
  expect(found.map(({ name }) => name)).toEqual(names);
  expect(settingsText(found)).toMatchSnapshot();
});
