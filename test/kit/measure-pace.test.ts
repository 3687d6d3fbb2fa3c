import { expect, it } from 'vitest';
import { watchPace } from './measure-pace.ts';

it('a process that waits for the processor stands still, one that works does not', () => {
  const waiting = watchPace();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  expect(waiting.longestMs()).toBeGreaterThan(300);
  waiting.stop();
  const working = watchPace();
  const begun = performance.now();
  const before = process.cpuUsage();
  let used = 0;
  while (used < 400_000) used = process.cpuUsage(before).user;
  const elapsedMs = performance.now() - begun;
  // The rest of that time, other processes may have taken.
  expect(working.longestMs()).toBeLessThan(elapsedMs - 350);
  working.stop();
});
