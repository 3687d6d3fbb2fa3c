import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedisClock } from './redis-clock.ts';

/** TIME's answer for a moment in milliseconds. */
const time = (ms: number): [number, number] => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1000)];

describe('RedisClock', () => {
  it('knows no time before Redis was heard', () => {
    expect(new RedisClock().now()).toBeUndefined();
  });

  it('is off by at most half the round trip', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.nat(2_000), fc.nat(100_000), (there, back, later) => {
        let local = 1_000;
        const redisAt = (at: number): number => 1_700_000_000_000 + at;
        const clock = new RedisClock(() => local);
        const mark = clock.mark();
        const answer = time(redisAt(local + there));
        local += there + back;
        clock.observe(mark, answer);
        local += later;
        expect(Math.abs((clock.now() ?? 0) - redisAt(local))).toBeLessThanOrEqual((there + back) / 2 + 1);
      }),
    );
  });

  it('keeps the sample with the shortest round trip, but not for ever', () => {
    let local = 0;
    const clock = new RedisClock(() => local);
    const sample = (roundTrip: number, redisMs: number): void => {
      const mark = clock.mark();
      local += roundTrip;
      clock.observe(mark, time(redisMs));
    };
    sample(2, 1_000_000);
    expect(clock.now()).toBe(1_000_001);
    sample(400, 9_000_000);
    expect(clock.now()).toBe(1_000_401);
    local += 10_000;
    sample(400, 9_000_000);
    expect(clock.now()).toBe(9_000_200);
  });
});
