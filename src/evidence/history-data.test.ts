import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { HISTORY_BYTES, historiesIn, historyKey, historyText } from './history-data.ts';

it('holds the lines of each scenario, in the order of the spec', async () => {
  const data = {
    [historyKey(1)]: await historyText(['{"kind":"setup","b":2}', '{"kind":"ended"}'], HISTORY_BYTES),
    'run.json': '{}',
    [historyKey(0)]: await historyText(['{"kind":"setup","a":"ä"}'], HISTORY_BYTES),
  };
  expect(historiesIn(data)).toBe('{"kind":"setup","a":"ä"}\n{"kind":"setup","b":2}\n{"kind":"ended"}\n');
  expect(historiesIn({ 'run.json': '{}' })).toBe('');
});

it('leaves out what does not fit, and what is too long to compress', async () => {
  let [read, isRun] = [0, false];
  const random = (function* () {
    for (; read < 200_000; read += 1) yield Math.sin(read).toString(36).repeat(4);
  })();
  setImmediate(() => {
    isRun = true;
  });
  expect(await historyText(random, 1000)).toBeUndefined();
  // It stopped early, and other work had its turn.
  expect(read).toBeLessThan(100_000);
  expect(isRun).toBe(true);
  const long = (function* () {
    for (;;) yield 'x'.repeat(1024 * 1024);
  })();
  expect(await historyText(long, HISTORY_BYTES)).toBeUndefined();
});

it.each<[string, unknown]>([
  ['a number', 1],
  ['no base64 of what it should be', 'x'],
  ['more than it may take', 'A'.repeat(HISTORY_BYTES + 1)],
  ['a bomb', gzipSync(Buffer.alloc(120 * 1024 * 1024)).toString('base64')],
])('is refused if it holds %s', (_, text) => {
  expect(() => historiesIn({ [historyKey(0)]: text })).toThrow(/^history-1\.jsonl\.gz\.b64 is not/);
});

it('refuses several files that are too large together', () => {
  const text = gzipSync(Buffer.alloc(40 * 1024 * 1024)).toString('base64');
  const both = { [historyKey(0)]: text, [historyKey(1)]: text };
  expect(historiesIn(both)).toHaveLength(80 * 1024 * 1024);
  expect(() => historiesIn({ ...both, [historyKey(2)]: text })).toThrow(/^history-3/);
});
