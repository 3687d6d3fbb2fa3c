import { expect, it } from 'vitest';
import type { ChaosDemoStatus, ChapterStatus } from '../api/index.ts';
import { waitingOf } from './stepper.ts';

function statusIn(chapter: number, state: ChapterStatus['state']): ChaosDemoStatus {
  const titles = ['Welcome', 'Cluster Health', 'Setup'];
  return {
    run: { number: 4, runId: '1', startedAt: '2026-01-01T00:00:00Z' },
    chapters: titles.map((title, i) => ({
      title,
      state: i + 1 === chapter ? state : i + 1 < chapter ? 'Completed' : 'Pending',
    })),
  };
}

it('where a run waits is the chapter that is done and awaits a hand', () => {
  expect(waitingOf(statusIn(2, 'Waiting'))).toEqual({ advance: '4/2', next: 'Setup' });
  expect(waitingOf(statusIn(3, 'Waiting'))).toEqual({ advance: '4/3', next: undefined });
});
