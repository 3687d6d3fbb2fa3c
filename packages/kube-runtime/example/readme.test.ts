import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const example = read('pod-security.ts');

it('the README shows the example as it runs', () => {
  const blocks = [...read('../README.md').matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  expect(blocks).toEqual([example]);
});

it('the example has at most 40 lines of code', () => {
  const lines = example.split('\n').map((line) => line.trim());
  const code = lines.filter((line) => line !== '' && !/^\/[/*]/.test(line));
  expect(code.length).toBeLessThanOrEqual(40);
});
