/** For tests only: measures how long the event loop is blocked. */

/** The longest that one answer of a tenant may block the event loop; milliseconds of processor time. */
export const MOST_STANDSTILL_MS = 20;

/** Compilation and garbage collection only add to a measurement, so the least of several counts. */
const ATTEMPTS = 5;

/**
 * Runs `act` until one run stays below `enough`, at most five times.
 * @returns the longest turn of the event loop in the best of these runs, in milliseconds of processor time of this
 *   thread: other load on the machine does not count
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
