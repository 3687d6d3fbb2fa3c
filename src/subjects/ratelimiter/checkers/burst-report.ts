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
  const { requests, errors, unanswered, firstError } = burst;
  const sent = `${counted(requests, 'request')} over ${counted(nodes, 'node')}, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const came = tallyOf(burst);
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
  const most = togetherMs(requests);
  if (burst.sendSpanMs > most) {
    return {
      ...common,
      proof: 'Inconclusive',
      message: `${sent}: ${came}. Only requests within ${most} ms are a burst: these proved nothing, since the nodes could share their counts meanwhile. Give the operator more CPU, or send fewer requests`,
    };
  }
  if (errors + unanswered === 0) return { ...common, proof: 'Confirmed', message: `${sent}: ${came}` };
  return {
    ...common,
    proof: 'Inconclusive',
    message: `${sent}: ${came}. First: ${firstError ?? 'unknown'}`,
  };
}

/** How many of the requests of each burst ended so. */
export interface Ends {
  readonly allowed: readonly number[];
  readonly denied: readonly number[];
  readonly errors: readonly number[];
  readonly unanswered: readonly number[];
}

/** "20, 15 allowed, 0, 5 denied": what was allowed, and of the rest what came at all. */
export function tally({ allowed, denied, errors, unanswered }: Ends): string {
  const [only] = errors;
  const word = errors.length === 1 && only === 1 ? 'error' : 'errors';
  const rest = Object.entries({ denied, [word]: errors, unanswered });
  return [
    `${allowed.join(', ')} allowed`,
    ...rest.flatMap(([what, counts]) =>
      counts.some((count) => count > 0) ? [`${counts.join(', ')} ${what}`] : [],
    ),
  ].join(', ');
}

/** The same of one burst. */
export function tallyOf(burst: Pick<BurstResult, keyof Ends>): string {
  const { allowed, denied, errors, unanswered } = burst;
  return tally({ allowed: [allowed], denied: [denied], errors: [errors], unanswered: [unanswered] });
}
