import { describe, expect, it } from 'vitest';
import { applying, type Code } from './checker.ts';
import { price } from './price.ts';
import { type Seen, seenFold, type Usage } from './seen.ts';

const START = 10_000;
const END = 14_000;

/** With so many connections open, one look each half a second from 1 s before the fault on. */
function found(open: readonly number[], times: Partial<Seen['times']> = { startedAt: START, endedAt: END }) {
  const usage = open.map(
    (count, i): Usage => ({ at: START - 1000 + 500 * i, open: count, bytes: 1e6 * count }),
  );
  const seen: Seen = {
    ...seenFold.init({ pods: ['a'], plan: { lingerMs: 0, failsOver: false } }),
    usage,
    times: { until: END, ...times },
  };
  return applying<Code>(price.finding(seen).evidence);
}

describe('the price of a fault', () => {
  it('compares the most in it with the most before', () => {
    expect(found([3, 4, 9, 5])).toEqual([
      { code: 'Price', open: { before: 4, during: 9 }, bytes: { before: 4e6, during: 9e6 } },
    ]);
  });

  it('leaves out what comes long after it', () => {
    expect(found([3, 3, 4, 4], { startedAt: START, endedAt: START + 1 })).toMatchObject([
      { open: { during: 4 } },
    ]);
    expect(found([3, 3, 4, 4, 4, 99], { startedAt: START, endedAt: START + 1 })).toMatchObject([
      { open: { during: 4 } },
    ]);
  });

  it.each([
    ['that grow in both halves of it', [4, 4, 6, 8, 10, 12, 14, 16, 18, 20], true],
    ['that are made at its start', [4, 4, 20, 20, 20, 20, 20, 20, 20, 20], false],
    ['that do not reach three times as many', [4, 4, 5, 6, 7, 8, 9, 10, 11, 11], false],
  ])('names connections %s', (_, open, grows) => {
    expect(found(open).some(({ code }) => code === 'ConnectionsGrow')).toBe(grows);
  });

  it('is unknown without a look before or in it', () => {
    expect(found([])).toEqual([]);
    expect(found([4, 4])).toEqual([]);
    expect(found([4, 4, 4], {})).toEqual([]);
  });
});
