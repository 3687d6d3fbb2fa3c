import { expect, it } from 'vitest';
import { eachAtOnce } from './at-once.ts';

const tick = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

it('eachAtOnce runs as many at once as it has lanes, in order', async () => {
  const busy = new Set<number>();
  let most = 0;
  const begun: number[] = [];
  await eachAtOnce([1, 2, 3, 4, 5], 2, async (item, lane) => {
    expect(busy.has(lane)).toBe(false);
    busy.add(lane);
    begun.push(item);
    most = Math.max(most, busy.size);
    await tick();
    busy.delete(lane);
  });
  expect(most).toBe(2);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});
