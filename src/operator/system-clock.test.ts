import { describe, expect, it } from 'vitest';
import { createSystemClock } from './system-clock.ts';

describe('the wall clock of the system', () => {
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

  it('counts the fraction of a millisecond', () => {
    const { clock, pass } = setup();
    expect(clock.now()).toBe(1_000_000);
    pass(0.25);
    expect(clock.now()).toBe(1_000_000.25);
    pass(10.5);
    expect(clock.now()).toBe(1_000_010.75);
  });

  it.each([-60_000, 60_000])('follows a step of %i ms at once', (step) => {
    const { clock, pass, time } = setup();
    pass(100);
    time.wall += step;
    expect(Math.floor(clock.now())).toBe(1_000_100 + step);
    pass(7);
    expect(Math.floor(clock.now())).toBe(1_000_107 + step);
  });

  it('never shows another millisecond than the system does, however the two differ', () => {
    const { clock, time } = setup();
    for (let tick = 0; tick < 10_000; tick += 1) {
      time.wall += 0.3;
      time.monotonic += 0.300_1;
      expect(Math.floor(clock.now())).toBe(Math.floor(time.wall));
    }
  });
});
