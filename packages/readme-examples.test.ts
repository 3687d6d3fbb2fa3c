import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

it.each([
  ['kube-runtime', 'pod-security.ts'],
  ['redis-faults', 'stall.ts'],
  ['settings', 'serve.ts'],
])('the README of %s shows its example as a test runs it', (name, example) => {
  const blocks = [...read(`${name}/README.md`).matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  expect(blocks).toEqual([read(`${name}/example/${example}`)]);
});

it('the controller of the example has at most 40 lines of code', () => {
  const lines = read('kube-runtime/example/pod-security.ts')
    .split('\n')
    .map((line) => line.trim());
  const code = lines.filter((line) => line !== '' && !/^\/[/*]/.test(line));
  expect(code.length).toBeLessThanOrEqual(40);
});
