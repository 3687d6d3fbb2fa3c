import { expect, it } from 'vitest';
import type { CounterSample } from '../history/counter-sample.ts';
import { CounterWatch } from './counter-watch.ts';

const T = 1_000_000;
const DENYING = { limit: 10, sent: 20, admitted: 10 };

/** A watch that settles for a second, over an invariant that notes the samples that it gets. */
function watched({ denying }: { denying?: typeof DENYING } = { denying: DENYING }) {
  const taken: number[] = [];
  const invariant = {
    add({ admitted, endedAt, readAt, stored = 0 }: CounterSample) {
      taken.push(endedAt);
      return { readAt, endedAt, admitted, total: 0, stored };
    },
    reading: () => ({ measures: [], summary: '', watchedUntil: 0, shortfalls: [], evidence: [] }),
  };
  const watch = new CounterWatch(invariant, 1000, denying);
  const sample = (at: number): void =>
    watch.take({ readAt: at, endedAt: at, admitted: new Map(), stored: 0, elsewhere: [], problems: [] });
  return { sample, taken, watch };
}

it('ends with the first sample once the time to settle is over', () => {
  const { sample, taken, watch } = watched();
  watch.times = { until: T + 2000, startedAt: T };
  sample(T + 500);
  expect(watch.isComplete).toBe(false);
  watch.times = { until: T + 2000, startedAt: T, endedAt: T + 2000 };
  sample(T + 2999);
  expect(watch.reading().complete).toBe(false);
  sample(T + 3000);
  expect(watch.reading().complete).toBe(true);
  sample(T + 3100);
  expect(taken).toEqual([T + 500, T + 2999, T + 3000]);
});

it('proves nothing without a control, and shows the control that was made', () => {
  expect(watched({}).watch.reading().shortfalls).toHaveLength(1);
  const { watch } = watched();
  expect(watch.reading().measures).toMatchObject([{ name: 'controlAdmitted', value: 10, bound: 10 }]);
});
