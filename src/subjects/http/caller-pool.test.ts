import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallerPool } from './caller-pool.ts';

const REST_MS = 1000;

describe('accounts that stand for callers', () => {
  it('belong to one caller of a run, always the same', () => {
    const pool = new CallerPool(() => 0);
    pool.hold(['a', 'b', 'c']);
    const { accountOf } = pool.forRun(REST_MS);
    expect(['x', 'y', 'x', 'z', 'y'].map(accountOf)).toEqual(['a', 'b', 'a', 'c', 'b']);
    expect(() => accountOf('another')).toThrow(/each of the 3 accounts/);
  });

  it('are used by another caller only after its run, and once they have rested', () => {
    const step = fc.record({
      run: fc.nat({ max: 2 }),
      caller: fc.constantFrom('a', 'b', 'c', 'the end'),
      afterMs: fc.constantFrom(0, 400, 1100),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        const pool = new CallerPool(() => now);
        pool.hold(Array.from({ length: 6 }, (_, i) => `account-${i}`));
        const runs = [0, 1, 2].map(() => pool.forRun(REST_MS));
        let ended = 0;
        const last = new Map<string, { by: string; run: string; at: number }>();
        const live = [0, 1, 2].map(String);
        for (const { afterMs, caller, run: place } of steps) {
          now += afterMs;
          const run = live[place] ?? '';
          if (caller === 'the end') {
            runs[place]?.end();
            runs[place] = pool.forRun(REST_MS);
            ended += 1;
            live[place] = `after ${ended}`;
            continue;
          }
          const by = `${run}/${caller}`;
          const key = attempt(() => runs[place]?.accountOf(caller));
          if (key === undefined) continue;
          const before = last.get(key);
          if (before && before.by !== by) {
            expect(live).not.toContain(before.run);
            expect(now - before.at).toBeGreaterThanOrEqual(REST_MS);
          }
          last.set(key, { by, run, at: now });
        }
      }),
    );
  });

  it('are remembered if their Secret changes, until they are no longer in it', () => {
    const pool = new CallerPool(() => 0);
    pool.hold(['a', 'b']);
    const { accountOf, end } = pool.forRun(REST_MS);
    accountOf('x');
    end();
    pool.hold(['a', 'c']);
    expect(pool.rested(REST_MS)).toEqual(['c']);
    pool.hold([]);
    pool.hold(['a']);
    expect(pool.rested(Number.POSITIVE_INFINITY)).toEqual(['a']);
  });
});

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
