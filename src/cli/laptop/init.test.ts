import { expect, it } from 'vitest';
import { testOf } from './init.ts';

it.each([
  [{ start: 'node server.js', instances: 2 }, "--start 'node server.js' --instances 2"],
  [
    { url: ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'], redis: 'redis://:secret@127.0.0.1:3' },
    "--url http://127.0.0.1:1/ --url http://127.0.0.1:2/ --redis 'redis://***@127.0.0.1:3'",
  ],
])('names the test of the file that was written, without a login', (options, words) => {
  expect(testOf({ method: 'GET', ...options }, 'a b.yaml')).toBe(`chaosdemo test ${words} --file 'a b.yaml'`);
});
