/** Checks the count of a caller right before a fault. */
import type { FaultReport } from '../../../engine/observed.ts';
import { type CounterSample, missingIn } from '../history/counter-sample.ts';
import { sampleCounts } from '../interfaces/counts.ts';
import type { Toolkit } from '../tools.ts';

type Parts = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'redis'>;

/**
 * Why nothing may be injected: earlier counts are not due to the fault, and leave less of the limit than the fault
 * needs. Undefined: the key is unused.
 * @throws if this cannot be determined
 */
export async function usedBefore(
  parts: Parts,
  key: string,
  signal: AbortSignal,
): Promise<FaultReport | undefined> {
  const { stored } = await countsBefore(parts, key, signal);
  if (stored === 0) return undefined;
  const message = `Nothing was injected: ${key} had been used before the fault (Redis counted ${stored}). Find which other client sends requests for keys that begin with demo-, and run again`;
  return { proof: 'Inconclusive', endedAt: parts.now(), message, evidence: [message] };
}

/** A sample of a key to which this run has sent nothing. @throws if it is incomplete */
export async function countsBefore(parts: Parts, key: string, signal: AbortSignal): Promise<CounterSample> {
  const sample = await sampleCounts(parts, key, () => new Map(), signal);
  const missing = missingIn(sample);
  if (missing === undefined) return sample;
  throw new Error(`the counters of ${key} could not be read before the fault: ${missing}`);
}
