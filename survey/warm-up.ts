/** Sends requests before anything is measured: what loads, compiles and connects at the first request does so then. */

import { send } from './request.ts';
import type { SurveyedLimiter } from './runner/limiter.ts';
import type { SurveyedProcess } from './runner/start.ts';

/** Well below any timeout of a configuration. */
const QUICK_MS = 100;
/** So many times in a row each has to answer quickly; a JVM is slow for the first few. */
const IN_A_ROW = 5;
const MOST_ROUNDS = 60;
const PATIENCE_MS = 10_000;

/** Sends requests until all answer quickly some times in a row; a machine that is too busy for that is left as it is. */
export async function warmUp(
  limiter: SurveyedLimiter,
  processes: readonly SurveyedProcess[],
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0, quick = 0; round < MOST_ROUNDS && quick < IN_A_ROW; round++) {
    signal.throwIfAborted();
    const caller = `demo-warm-${round}`;
    const answers = await Promise.all(processes.map(({ url }) => send(limiter, url, caller, PATIENCE_MS)));
    const isQuick = answers.every(({ ms, outcome }) => outcome === 'Admitted' && ms < QUICK_MS);
    quick = isQuick ? quick + 1 : 0;
  }
}
