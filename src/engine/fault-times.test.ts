import { expect, it } from 'vitest';
import { runDeadline } from './fault-times.ts';
import { iso } from './time.ts';

const NOW = 1_700_000_000_000;
const deadline = (startedAt: string): number =>
  runDeadline({ run: { number: 1, startedAt } }, { activeDeadline: '10m' }, NOW);

it('a run ends in its time, and one whose start is no time or lies ahead ends now', () => {
  expect(deadline(iso(NOW - 60_000))).toBe(NOW + 540_000);
  expect(deadline(iso(NOW + 60_000))).toBe(NOW + 660_000);
  for (const forged of ['2026-01-01T00:00:00,5Z', '9999-12-31T23:59:59.999Z']) {
    expect(deadline(forged)).toBe(NOW);
  }
});
