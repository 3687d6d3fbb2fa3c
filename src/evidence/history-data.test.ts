import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HISTORY_BYTES, HistoryPieces, historiesIn } from './history-data.ts';

const KEY = 'history-1-1-0001.jsonl.gz.b64';

/** The files of a history to which these lines were added, one piece after the other. */
function piecesOf(index: number, attempt: number, ...pieces: string[][]): HistoryPieces {
  const history = new HistoryPieces(index, attempt, 8);
  for (const lines of pieces) history.add(lines);
  return history;
}

/** Lines that no compression makes short. */
const noise = (lines: number): string[] =>
  Array.from({ length: lines }, (_, i) => `${Math.sin(i)}${Math.cos(i)}`.repeat(2));

describe('a history in pieces', () => {
  it('is read as it was written, in the order of the spec', () => {
    const second = piecesOf(1, 1, ['{"b":2}'], ['{"b":"ä"}', '{"b":3}']);
    const first = piecesOf(0, 1, ['{"a":1}']);
    expect([...historiesIn({ ...second.files, 'run.json': '{}', ...first.files })]).toEqual([
      [1, '{"a":1}\n'],
      [2, '{"b":2}\n{"b":"ä"}\n{"b":3}\n'],
    ]);
    expect([...historiesIn({ 'run.json': '{}' })]).toEqual([]);
  });

  it('never changes a piece, and makes none of no lines', () => {
    const history = piecesOf(0, 1, ['1'], []);
    const before = { ...history.files };
    history.add(['2']);
    expect(Object.keys(history.files)).toEqual([KEY, 'history-1-1-0002.jsonl.gz.b64']);
    expect(history.files).toMatchObject(before);
  });

  it('is that of the last attempt if there were several', () => {
    const data = { ...piecesOf(0, 1, ['1'], ['2']).files, ...piecesOf(0, 10, ['3']).files };
    expect([...historiesIn({ ...data, ...piecesOf(0, 9, ['4']).files })]).toEqual([[1, '3\n']]);
  });

  it('ends where its share of the room does, and states that', () => {
    const history = piecesOf(0, 1);
    for (let i = 0; i < 40; i += 1) history.add(noise(200));
    expect(history.isCut).toBe(true);
    const { length } = Object.keys(history.files);
    const bytes = Object.values(history.files).join('').length;
    expect(bytes).toBeLessThanOrEqual(HISTORY_BYTES / 8);
    expect(bytes).toBeGreaterThan((HISTORY_BYTES / 8) * 0.8);
    // What follows is no continuation, even if it is short.
    history.add(['1']);
    expect(Object.keys(history.files)).toHaveLength(length);
    expect(historiesIn(history.files).get(1)?.split('\n')).toHaveLength(200 * length + 1);
  });

  it('ends before it takes too long to draw, however short it is compressed', () => {
    const history = piecesOf(0, 1);
    for (let i = 0; i < 40; i += 1) history.add(Array.from({ length: 1000 }, () => 'x'.repeat(99)));
    expect(history.isCut).toBe(true);
    expect(Object.keys(history.files)).toHaveLength(Math.floor((2 * 1024 * 1024) / 100_000));
  });
});

it.each<[string, unknown]>([
  ['a number', 1],
  ['no base64 of what it should be', 'x'],
  ['more than it may take', 'A'.repeat(HISTORY_BYTES + 1)],
  ['a bomb', gzipSync(Buffer.alloc(20 * 1024 * 1024)).toString('base64')],
])('is refused if it holds %s', (_, text) => {
  expect(() => historiesIn({ [KEY]: text })).toThrow(/^history-1-1-0001\.jsonl\.gz\.b64 is not/);
});

it('refuses a history that lacks a piece', () => {
  const { [KEY]: _, ...rest } = piecesOf(0, 1, ['1'], ['2']).files;
  expect(() => historiesIn(rest)).toThrow(/^history-1-1-0002/);
});

it('refuses several pieces that are too large together', () => {
  const text = gzipSync(Buffer.alloc(7 * 1024 * 1024)).toString('base64');
  const both = { [KEY]: text, 'history-2-1-0001.jsonl.gz.b64': text };
  expect([...historiesIn(both).values()].join('')).toHaveLength(14 * 1024 * 1024);
  expect(() => historiesIn({ ...both, 'history-2-1-0002.jsonl.gz.b64': text })).toThrow(/^history-2-1-0002/);
});
