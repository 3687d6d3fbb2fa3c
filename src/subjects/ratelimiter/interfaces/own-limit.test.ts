import { expect, it } from 'vitest';
import { type OwnLimit, ownLimitOf } from './own-limit.ts';

const limit = { algorithm: 'FixedWindow', requests: 5, windowMs: 60_000, start: 'FirstRequest' } as const;

/** Whether it waits at this moment, and not for a moment that has come. */
async function waits(own: OwnLimit): Promise<boolean> {
  const stop = new AbortController();
  const whole = own.untilReplenished(stop.signal);
  stop.abort(new Error('it waits'));
  return await whole.then(
    () => false,
    () => true,
  );
}

it('a limit counts as used at first (its history is unknown) and after each use', async () => {
  let now = 1_000_000;
  const own = ownLimitOf([limit], () => now);
  now += 60_999;
  expect(await waits(own)).toBe(true);
  now += 1;
  await own.untilReplenished(new AbortController().signal);
  own.used();
  now += 60_999;
  expect(await waits(own)).toBe(true);
  now += 1;
  await own.untilReplenished(new AbortController().signal);
});
