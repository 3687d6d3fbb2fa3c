/**
 * The integration tests that start whole processes and keep time with them run
 * only when asked for, with CHAOSDEMO_REAL_TIME=1: a run samples its invariants
 * every 100 ms and calls a gap Inconclusive, rightly, so on a starved machine
 * they would fail for a reason that is not ours. They are counted as skipped.
 */
export const withoutRealTime = process.env['CHAOSDEMO_REAL_TIME'] !== '1';
