import { expect, it } from 'vitest';
import type { Row } from './benchmark.ts';
import { formatNumber, jsonOf, notesOf, ratioOf, tableOf } from './report.ts';

const alone: Row = { what: 'alone', value: 3, unit: '' };
const compared: Row = { what: 'compared', value: 30, unit: 'ms', baseline: { what: 'the other', value: 20 } };

it('gives a ratio only for a base that is not 0', () => {
  expect(ratioOf(compared)).toBe(1.5);
  expect(ratioOf(alone)).toBeUndefined();
  expect(ratioOf({ ...compared, baseline: { what: 'nothing', value: 0 } })).toBeUndefined();
});

it('writes as many digits as a figure deserves', () => {
  expect([0.1234, 9.876, 12.34, 1234.5].map(formatNumber)).toEqual(['0.12', '9.88', '12.3', '1235']);
});

it('makes a table in which every line has the same columns', () => {
  const lines = tableOf([{ benchmark: 'b', rows: [alone, compared] }]);
  expect(lines.map((line) => line.split('|').length)).toEqual([8, 8, 8, 8]);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines[3]).toMatch(/\| b +\| compared +\| *30\.0 ms \| the other +\| *20\.0 ms \| *1\.50x \|/);
});

it('says beneath the table what there is to know of a figure, and of which', () => {
  const noted: Row = { ...compared, note: '7 samples' };
  expect(notesOf([{ benchmark: 'b', rows: [alone, noted] }])).toEqual(['- "compared": 7 samples']);
});

it('keeps in JSON what it was measured on, and the figures unrounded', () => {
  const json = JSON.parse(jsonOf({ cpus: 2 }, [{ benchmark: 'b', rows: [compared] }]));
  expect(json).toEqual({
    machine: { cpus: 2 },
    results: [{ benchmark: 'b', rows: [{ ...compared, ratio: 1.5 }] }],
  });
});
