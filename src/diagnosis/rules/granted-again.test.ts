import { describe, expect, it } from 'vitest';
import { bundleOf, type Part, type Points } from '../../../test/fixtures/diagnosis/bundle.ts';
import { explain } from './index.ts';

const LIMIT = 9;
/** When callers get their limit once more, and the end of the observations. */
const [AGAIN_MS, END_MS] = [5000, 8000];
const BROKEN = { formula: 'over-admission <= 0', values: { 'over-admission': 9 }, broken: true };

const store: Part[] = (['read-latency', 'write-latency'] as const).map(
  (signal): Part => ['store', signal, Array.from({ length: 32 }, (_, i) => [i * 250, 2] as const)],
);

/** A running total that grows by this many, one every 100 ms, from each of these moments on. */
function growing(...spans: readonly (readonly [from: number, by: number])[]): Points {
  const moments = spans.flatMap(([from, by]) => Array.from({ length: by }, (_, i) => from + 100 * i));
  return moments.map((at, i) => [at, i + 1] as const);
}

/** What each replica admits of a new caller at first, and again. */
const admitting = (...parts: readonly (readonly [first: number, again: number])[]): Part[] =>
  parts.flatMap(([first, again], i): Part[] => [
    [`replica-${i + 1}`, 'requests-sent', growing([0, END_MS / 100])],
    [`replica-${i + 1}`, 'requests-rejected', growing([0, END_MS / 100])],
    [`replica-${i + 1}`, 'newcomer-admitted', growing([1000, first], [AGAIN_MS, again])],
  ]);
/** One more admission. */
const until = (at: number): Part => ['replica-3', 'newcomer-admitted', [[at, 6]]];
const shared = admitting([3, 3], [3, 4], [3, 2]);

const diagnosed = (parts: readonly Part[], invariant = BROKEN) =>
  explain(bundleOf({ parts: [['client', 'limit', [[0, LIMIT]]], ...store, ...parts], invariant }));

describe('replicas that together grant a limit twice', () => {
  it('share a count that started again: the store has an older state', () => {
    const answer = diagnosed(shared);
    expect(answer).toMatchObject({ anomaly: 'store-restarted', component: 'store', action: 'reset-counter' });
    expect(answer.chain).toHaveLength(2);
  });

  it.each<[string, readonly Part[]]>([
    ['less than the limit again', admitting([3, 3], [3, 3], [3, 2])],
    ['more than that', admitting([3, 3], [3, 3], [3, 4])],
    ['less before', admitting([3, 3], [3, 3], [2, 3])],
    ['by one of them only', admitting([3, 9], [3, 0], [3, 0])],
    ['up to the end', [...admitting([3, 3], [3, 3], [3, 2]), until(END_MS)]],
    [
      'and another number to another caller',
      [...shared, ['replica-1', 'requests-admitted', [[500, LIMIT + 4]]]],
    ],
  ])('are no sign of it: %s', (_, parts) => {
    expect(diagnosed(parts).anomaly).not.toBe('store-restarted');
  });

  it('are no sign of it if what must hold does, or the store served no one', () => {
    expect(diagnosed(shared, { ...BROKEN, broken: false }).anomaly).toBe('none');
    const parts: Part[] = [['client', 'limit', [[0, LIMIT]]], ...shared];
    expect(explain(bundleOf({ parts, invariant: BROKEN })).anomaly).not.toBe('store-restarted');
  });

  it('are no sign of it if the limit has been renewed', () => {
    const renewed: Part = ['client', 'limit', [[AGAIN_MS, 2 * LIMIT]]];
    expect(diagnosed([...shared, renewed]).anomaly).not.toBe('store-restarted');
  });
});
