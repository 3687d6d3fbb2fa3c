import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `probe` until it returns true. @throws after ten seconds */
export async function until(probe: () => boolean): Promise<void> {
  for (let left = 1000; left > 0 && !probe(); left -= 1) await sleep(10);
  if (!probe()) throw new Error(`waited 10 s for ${probe.toString()}`);
}
