import { expect, it } from 'vitest';
import type { Row } from './benchmark.ts';
import { jsonOf, ratioOf } from './report.ts';

const alone: Row = { what: 'alone', value: 3, unit: '' };
const compared: Row = { what: 'compared', value: 30, unit: 'ms', baseline: { what: 'the other', value: 20 } };

it('gives a ratio only for a base that is not 0', () => {
  expect(ratioOf(compared)).toBe(1.5);
  expect(ratioOf(alone)).toBeUndefined();
  expect(ratioOf({ ...compared, baseline: { what: 'nothing', value: 0 } })).toBeUndefined();
});

it('keeps in JSON what it was measured on, and the figures unrounded', () => {
  const json = JSON.parse(jsonOf({ cpus: 2 }, [{ benchmark: 'b', rows: [compared] }]));
  expect(json).toEqual({
    machine: { cpus: 2 },
    results: [{ benchmark: 'b', rows: [{ ...compared, ratio: 1.5 }] }],
  });
});
