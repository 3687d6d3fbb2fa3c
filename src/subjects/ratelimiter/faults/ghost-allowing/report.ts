/** What is told of a burst. */
import type { FaultReport } from '../../../../demo/observed.ts';
import type { BurstResult } from '../../interfaces/reference/check-burst.ts';
import { counted } from '../../words.ts';

/** Confirmed only where every request was answered for the key's window. Pure. */
export function reportOfBurst(burst: BurstResult, nodes: number): FaultReport {
  const { requests, allowed, denied, errors, unanswered, otherWindow, firstError } = burst;
  const sent = `${counted(requests, 'request')} over ${counted(nodes, 'node')}, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const tally = `${allowed} allowed, ${denied} denied, ${counted(errors, 'error')}, ${unanswered} unanswered`;
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
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
