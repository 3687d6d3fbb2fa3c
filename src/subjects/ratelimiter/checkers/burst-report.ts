/** What is told of a burst. */

import { counted } from '../../../api/index.ts';
import type { FaultReport } from '../../../demo/observed.ts';
import type { BurstResult } from './burst-result.ts';

/**
 * Requests that are written within this are called together. It is a fraction of the time in which limiters that
 * share counts do so, and many times what the requests of a usual burst need.
 */
const TOGETHER_MS = 100;
/** What one process writes at least, so that the bound grows with a burst of thousands. */
const REQUESTS_PER_MS = 20;

/** How far apart the first and the last request of a burst may be; milliseconds. */
export function togetherMs(requests: number): number {
  return Math.max(TOGETHER_MS, requests / REQUESTS_PER_MS);
}

/** Confirmed only if every request was admitted or rejected, and all were sent together. Pure. */
export function reportOfBurst(burst: BurstResult, nodes: number): FaultReport {
  const { requests, errors, timeouts, firstError } = burst;
  const sent = `${counted(requests, 'request')} over ${counted(nodes, 'pod')}, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const came = tallyOf(burst);
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
  const most = togetherMs(requests);
  if (burst.sendSpanMs > most) {
    return {
      ...common,
      proof: 'Inconclusive',
      message: `${sent}: ${came}. Only requests within ${most} ms are a burst: these proved nothing, since the pods could share their counts in that time. Give the operator more CPU, or send fewer requests`,
    };
  }
  if (errors + timeouts === 0) return { ...common, proof: 'Confirmed', message: `${sent}: ${came}` };
  return {
    ...common,
    proof: 'Inconclusive',
    message: `${sent}: ${came}. First: ${firstError ?? 'unknown'}`,
  };
}

/** How many of the requests of each burst ended so. */
export interface Ends {
  readonly admitted: readonly number[];
  readonly rejected: readonly number[];
  readonly errors: readonly number[];
  readonly timeouts: readonly number[];
}

/** "20, 15 admitted, 0, 5 rejected": what was admitted, and every other outcome that a burst had. */
export function tally({ admitted, rejected, errors, timeouts }: Ends): string {
  const word = (counts: readonly number[], one: string) => (counts.join() === '1' ? one : `${one}s`);
  const rest = Object.entries({
    rejected,
    [word(errors, 'error')]: errors,
    [word(timeouts, 'timeout')]: timeouts,
  });
  return [
    `${admitted.join(', ')} admitted`,
    ...rest.flatMap(([what, counts]) =>
      counts.some((count) => count > 0) ? [`${counts.join(', ')} ${what}`] : [],
    ),
  ].join(', ');
}

/** The same of one burst. */
export function tallyOf(burst: Pick<BurstResult, keyof Ends>): string {
  const { admitted, rejected, errors, timeouts } = burst;
  return tally({ admitted: [admitted], rejected: [rejected], errors: [errors], timeouts: [timeouts] });
}
