import { expect, it } from 'vitest';
import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';
import { type ChapterPlan, chaptersOf, leftAt, numbered } from './chapter.ts';

const PLAN: readonly ChapterPlan[] = [
  { title: 'Welcome', stage: 'welcome' },
  { title: 'Stall Chaos', stage: 'chaos', of: 'Stall' },
  { title: 'Recovery', stage: 'recovery', of: 'Stall', auto: true },
  { title: 'Surge Chaos', stage: 'chaos', of: 'Surge' },
  { title: 'Complete', stage: 'complete', auto: true },
];

const linesOf = (scenarios: Parameters<typeof chaptersOf>[1]): string[] =>
  chaptersOf(PLAN, scenarios).map(({ number, scenario = '', title }) =>
    `${number} ${title} ${scenario}`.trim(),
  );

it('gives each scenario the chapters of its type, in the order of the plan', () => {
  expect(
    linesOf([
      { name: 'b', type: 'Surge' },
      { name: 'a', type: 'Stall' },
    ]),
  ).toEqual(['1 Welcome', '2 Stall Chaos a', '3 Recovery a', '4 Surge Chaos b', '5 Complete']);
});

it('names the scenario in the title if there are several of a type', () => {
  expect(
    linesOf([
      { name: 'short', type: 'Stall' },
      { name: 'long', type: 'Stall' },
    ]),
  ).toEqual([
    '1 Welcome',
    '2 Stall Chaos: short short',
    '3 Recovery: short short',
    '4 Stall Chaos: long long',
    '5 Recovery: long long',
    '6 Complete',
  ]);
});

it('is left when the next chapter that began begins, or with the run', () => {
  const chapters = ['a', undefined, 'c'].map((startedAt, i) => ({
    title: `${i}`,
    ...(startedAt && { startedAt }),
  }));
  expect([0, 2].map((place) => leftAt(chapters, place, 'end'))).toEqual(['c', 'end']);
  expect(leftAt(chapters, 2, undefined)).toBeUndefined();
});

const WORKING = { startedAt: 'x' };
const DONE = { ...WORKING, doneAt: 'x' };
const run = { number: 1, startedAt: 'x' };
const waits = { run, journal: { awaitingSince: 'x' } };
const ended: ChaosDemoStatus = { run: { ...run, phase: 'Errored' } };

it.each<[string, ChaosDemoStatus, Partial<ChapterStatus>[], string]>([
  ['before the first', { run }, [{}, {}], 'Pending Pending'],
  ['at work', { run }, [{}, WORKING, {}], 'Completed Running Pending'],
  ['done for now', { run }, [DONE, {}], 'Running Pending'],
  ['waiting for advance', waits, [DONE, {}], 'Waiting Pending'],
  ['waiting while at work', waits, [WORKING, {}], 'Running Pending'],
  ['stopped', ended, [DONE, {}], 'Stopped Pending'],
  ['stopped in the last', ended, [{}, WORKING], 'Completed Stopped'],
  ['at the end', ended, [{}, DONE], 'Completed Completed'],
])('chapters of a run that is %s have their states', (_, status, times, states) => {
  const chapters = times.map((one) => ({ title: 'a', ...one }));
  expect(numbered({ ...status, chapters }).map(({ state }) => state)).toEqual(states.split(' '));
});
