import { describe, expect, it } from 'vitest';
import type { ChaosDemoStatus, FaultStatus } from '../api/index.ts';
import { iso } from './context.ts';
import { flawOf, MOST_RUNS, soundStatus } from './sound-status.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const NEVER = '9999-12-31T23:59:59Z';
/** The API server takes it for a time; no clock has it. */
const NONE = '2026-01-01T00:00:00+99:99';

const run = (changes: object = {}) => ({ number: 3, startedAt: iso(NOW - 60_000), ...changes });
const fault = (changes: Partial<FaultStatus> = {}): FaultStatus => ({
  id: '3-a-1',
  plannedAt: iso(NOW - 5000),
  until: iso(NOW + 5000),
  ...changes,
});
const withFault = (changes: Partial<FaultStatus>): ChaosDemoStatus => ({
  run: run(),
  scenarios: [{ name: 'a', type: 'A', expect: 'Detected', fault: fault(changes) }],
});
const ending = (since: string) => ({
  phase: 'Aborted' as const,
  reason: 'Aborted',
  message: 'x',
  release: true,
  since,
});

describe('a run that is on', () => {
  it('is gone by where everything in it can be of this operator', () => {
    const status: ChaosDemoStatus = {
      ...withFault({ startedAt: iso(NOW - 4990), endedAt: iso(NOW + 4000), proof: 'Confirmed' }),
      chapters: [{ number: 1, title: 'x', state: 'Running', startedAt: iso(NOW - 50_000) }],
      journal: { awaitedMs: 30_000, awaitingSince: iso(NOW - 1000), ending: ending(iso(NOW)) },
    };
    expect(flawOf(status, NOW)).toBeUndefined();
    expect(flawOf({}, NOW)).toBeUndefined();
  });

  it.each<[string, ChaosDemoStatus, RegExp]>([
    ['began in times to come', { run: run({ startedAt: NEVER }) }, /run\.startedAt/],
    ['began at no time', { run: run({ startedAt: NONE }) }, /run\.startedAt/],
    [
      'shows a chapter that will be done one day',
      { run: run(), chapters: [{ number: 1, title: 'x', state: 'Running', doneAt: NEVER }] },
      /chapters\[1\]\.doneAt/,
    ],
    ['is stopped from one day on', { run: run(), journal: { ending: ending(NEVER) } }, /ending\.since/],
    [
      'has waited since before it began',
      { run: run(), journal: { awaitingSince: iso(0) } },
      /before the run/,
    ],
    ['has waited longer than it is on', { run: run(), journal: { awaitedMs: 1e12 } }, /longer than the run/],
    ['has the fault of another run', withFault({ id: '2-a-1' }), /id \(2-a-1\)/],
    ['has the fault of another scenario', withFault({ id: '3-b-1' }), /id \(3-b-1\)/],
    ['has a fault without an end', withFault({ until: NEVER }), /until/],
    ['has a fault that ends before it starts', withFault({ until: iso(NOW - 6000) }), /until/],
    ['has a fault that comes one day', withFault({ plannedAt: NEVER, until: NEVER }), /plannedAt/],
    ['has a fault that was seen to end one day', withFault({ endedAt: NEVER }), /endedAt/],
  ])('is not gone by where it %s', (_, status, flaw) => {
    expect(flawOf(status, NOW)).toMatch(flaw);
  });
});

describe('what is stored of an object', () => {
  it('stays as it is where it can be of this operator', () => {
    const status: ChaosDemoStatus = { ...withFault({}), journal: { restUntil: iso(NOW + 60_000) } };
    expect(soundStatus(status, NOW)).toEqual(status);
  });

  it.each([NEVER, NONE])('rests until %s no more', (restUntil) => {
    expect(soundStatus({ journal: { restUntil, runKey: 'k' } }, NOW)).toEqual({ journal: { runKey: 'k' } });
  });

  it('has a verdict where its run has ended, and a number that can be counted on from', () => {
    const { run: kept } = soundStatus({ run: run({ number: 2 ** 63, completedAt: iso(NOW) }) }, NOW);
    expect(kept).toMatchObject({
      number: MOST_RUNS,
      verdict: { phase: 'Errored', reason: 'StatusUnusable' },
    });
  });
});
