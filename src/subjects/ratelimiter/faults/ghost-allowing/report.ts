/** What is told of a burst. */

import { counted } from '../../../../api/index.ts';
import type { FaultReport } from '../../../../demo/observed.ts';
import type { BurstResult } from '../../interfaces/burst-result.ts';

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

/** Confirmed only where every request was answered for the key's window, and all were sent together. Pure. */
export function reportOfBurst(burst: BurstResult, nodes: number): FaultReport {
  const { requests, allowed, denied, errors, unanswered, otherWindow, firstError } = burst;
  const sent = `${counted(requests, 'request')} over ${counted(nodes, 'node')}, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const tally = `${allowed} allowed, ${denied} denied, ${counted(errors, 'error')}, ${unanswered} unanswered`;
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
  const most = togetherMs(requests);
  if (burst.sendSpanMs > most) {
    return {
      ...common,
      proof: 'Inconclusive',
      message: `${sent}: ${tally}. Only requests within ${most} ms are a burst: these proved nothing, since the nodes could share their counts meanwhile. Give the operator more CPU, or send fewer requests`,
    };
  }
  if (errors + unanswered === 0) return { ...common, proof: 'Confirmed', message: `${sent}: ${tally}` };
  if (otherWindow > 0) {
    return {
      ...common,
      proof: 'Mismatch',
      message: `${sent}: ${tally}. ${otherWindow} were answered for another window, so they say nothing of this one: see whether the limit's window ended or the key was defined anew by somebody else`,
    };
  }
  return {
    ...common,
    proof: 'Inconclusive',
    message: `${sent}: ${tally}. First: ${firstError ?? 'unknown'}`,
  };
}
