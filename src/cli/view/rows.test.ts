import { expect, it } from 'vitest';
import { demoWith, NOW, statusInFault } from '../../../test/fixtures/cli/view/status.ts';
import { header, row } from './rows.ts';

it('has the columns of kubectl, aligned with the header', () => {
  const demo = demoWith({ ...statusInFault(), result: 'drift violated' });
  const [names, values] = [header(demo.metadata.name), row(demo, NOW)];
  expect(names.split(/\s+/)).toEqual(['NAME', 'PHASE', 'CHAPTER', 'HEALTHY', 'FAULT', 'RESULT', 'STARTED']);
  const { chapter = '', phase = '' } = demo.status ?? {};
  expect(values.indexOf(phase)).toBe(names.indexOf('PHASE'));
  expect(values.indexOf(chapter)).toBe(names.indexOf('CHAPTER'));
  expect(values.indexOf('drift violated')).toBe(names.indexOf('RESULT'));
  expect(values).toMatch(/ \d+s$/);
});

it('is the name alone before the operator has written a status', () => {
  const demo = demoWith(undefined);
  expect(row(demo, NOW)).toBe(demo.metadata.name);
});
