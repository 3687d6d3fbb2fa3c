/** For tests only: how long this thread works without letting the event loop turn. */

/** No answer of a tenant may keep the event loop for longer, in milliseconds of processor time. */
export const MOST_STANDSTILL_MS = 20;

/** Compiling and collecting garbage only add, so the least of so many attempts counts. */
const ATTEMPTS = 5;

/**
 * Runs `act` until a run stays below `enough`, five times at most.
 * @returns the least of the runs: the longest stretch of one turn of the event loop. In milliseconds of the processor
 *   time of this thread, so what else the machine does plays no part
 */
export async function standstillMs(
  act: () => Promise<unknown>,
  enough = MOST_STANDSTILL_MS,
): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < ATTEMPTS && least >= enough; i += 1) least = Math.min(least, await longestTurn(act));
  return least;
}

async function longestTurn(act: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let last = cpuMs();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const turn = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (isOver) end();
    else setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await act();
  } finally {
    isOver = true;
    await ended;
  }
  return longest;
}

function cpuMs(): number {
  const { system, user } = process.threadCpuUsage();
  return (system + user) / 1000;
}
