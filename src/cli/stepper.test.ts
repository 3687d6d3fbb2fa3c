import { expect, it } from 'vitest';
import type { ChaosDemoStatus } from '../api/index.ts';
import { waitingOf } from './stepper.ts';

const AT = '2026-01-01T00:00:00Z';

function waitingIn(chapter: number): ChaosDemoStatus {
  const titles = ['Welcome', 'Cluster Health', 'Setup'];
  return {
    run: { number: 4, runId: '1', startedAt: AT },
    journal: { awaitingSince: AT },
    chapters: titles.map((title, i) => ({
      title,
      ...(i < chapter && { startedAt: AT }),
      ...(i + 1 === chapter && { doneAt: AT }),
    })),
  };
}

it('where a run waits is the chapter that is done and awaits a hand', () => {
  expect(waitingOf(waitingIn(2))).toEqual({ advance: '4/2', next: 'Setup' });
  expect(waitingOf(waitingIn(3))).toEqual({ advance: '4/3', next: undefined });
});
