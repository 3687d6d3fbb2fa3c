import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KEY, LockHistory } from '../../../../test/fixtures/subjects/lock/lock-history.ts';
import { doubleGrantsOf, holdsOf } from './holds.ts';

/** A request to acquire, when it was granted, and when it was released. */
const hold = fc
  .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 90 }))
  .map(([sentAt, tookMs, heldMs]) => ({ sentAt, from: sentAt + tookMs, to: sentAt + tookMs + heldMs }));
const holds = fc.array(hold, { maxLength: 25 });
const slots = fc.integer({ min: 1, max: 4 });
const ttlMs = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 5, max: 120 }));

const historyOf = (all: readonly { sentAt: number; from: number; to: number }[]): LockHistory => {
  const history = new LockHistory();
  for (const one of all) history.granted(one);
  return history;
};

it('a double grant is found if and only if more are held at some moment', () => {
  fc.assert(
    fc.property(holds, slots, ttlMs, (all, slots, ttlMs) => {
      const { state } = historyOf(all).judged({ slots, ttlMs });
      const certain = all.map(({ from, sentAt, to }) => [from, Math.min(to, sentAt + ttlMs)] as const);
      const heldAt = (at: number): number => certain.filter(([from, to]) => from <= at && at < to).length;
      const most = Math.max(0, ...certain.map(([from]) => heldAt(from)));
      expect(doubleGrantsOf(state).length > 0).toBe(most > slots);
      expect(Math.max(0, ...doubleGrantsOf(state).map(({ open }) => open.length))).toBe(
        most > slots ? most : 0,
      );
    }),
  );
});

it('a lock that grants one after the other has no double grant, however late', () => {
  fc.assert(
    fc.property(holds, fc.integer({ min: 0, max: 30 }), (all, answerMs) => {
      // The lock decides, then its answer takes a while; it is free once it got the release, after that was sent.
      let free = 0;
      const serial = all.map(({ from, sentAt, to }) => {
        const decidedAt = Math.max(free, sentAt);
        const granted = decidedAt + answerMs;
        free = granted + (to - from) + 1;
        return { sentAt, from: granted, to: granted + (to - from) };
      });
      expect(doubleGrantsOf(historyOf(serial).judged().state)).toEqual([]);
    }),
  );
});

it('a hold is certain to its release or its ttl, and one without a release is not', () => {
  const { state } = new LockHistory()
    .granted({ sentAt: 0, from: 10, to: 500 })
    .granted({ sentAt: 600, from: 610 })
    .granted({ sentAt: 700, from: 1000, to: 1001, isLate: true })
    .judged({ ttlMs: 100 });
  expect(holdsOf(state).get(KEY)).toMatchObject([{ sentAt: 0, from: 10, to: 100 }]);
});
