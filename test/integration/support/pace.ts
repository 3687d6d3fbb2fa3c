/**
 * Whether this machine keeps up with what the integration tests need. They start
 * whole control planes, and a run samples its invariants every 100 ms, where a
 * gap makes it Inconclusive, rightly. A starved machine can show nothing of that,
 * so these tests are skipped there, visibly, instead of failing for a reason
 * that is not ours.
 */

/** Additions in a tight loop; 20 to 40 ms on the processors of the last ten years. */
const ADDITIONS = 20_000_000;
/** Ten times what the slowest of those needs. */
const TOO_SLOW_MS = 400;

function measure(): number {
  const start = performance.now();
  let sum = 0;
  for (let index = 0; index < ADDITIONS; index += 1) sum += index;
  return sum > 0 ? performance.now() - start : 0;
}

/** The best of three counts, since one may be disturbed. */
export const paceMs = Math.min(measure(), measure(), measure());

export const tooSlowForRealTime = paceMs > TOO_SLOW_MS;
if (tooSlowForRealTime) {
  process.stderr.write(
    `This machine is too slow for tests in real time (${Math.round(paceMs)} ms for a loop that takes 20 to 40): they are skipped.\n`,
  );
}
