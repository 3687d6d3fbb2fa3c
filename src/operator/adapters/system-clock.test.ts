import { describe, expect, it } from 'vitest';
import { createSystemClock } from './system-clock.ts';

describe('the clock of the process', () => {
  /** A system that shows whole milliseconds. */
  const setup = () => {
    const time = { wall: 1_000_000, monotonic: 5 };
    const clock = createSystemClock(
      () => Math.floor(time.wall),
      () => time.monotonic,
    );
    const pass = (ms: number): void => {
      time.wall += ms;
      time.monotonic += ms;
    };
    return { clock, pass, time };
  };

  it('shows the wall clock, and counts the fraction of a millisecond', () => {
    const { clock, pass } = setup();
    expect(clock.now()).toBe(1_000_000);
    pass(0.25);
    expect(clock.now()).toBe(1_000_000.25);
    pass(10.5);
    expect(clock.now()).toBe(1_000_010.75);
  });

  it.each([-1000, 70_000])('the clock continues unaffected if the wall clock steps by %i ms', (step) => {
    const { clock, pass, time } = setup();
    pass(100);
    time.wall += step;
    expect(clock.now()).toBe(1_000_100);
    pass(7);
    expect(clock.now()).toBe(1_000_107);
    clock.follow();
    expect(clock.now()).toBe(1_000_107 + step);
  });
});
