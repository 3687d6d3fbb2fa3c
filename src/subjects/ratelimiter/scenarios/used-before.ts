/** Checks the counters right before a fault. */
import type { FaultReport } from '../../../demo/observed.ts';
import { type CounterSample, missingIn, totalAdmitted } from '../history/counter-sample.ts';
import { countsOf } from '../interfaces/counts.ts';
import type { Toolkit } from '../tools.ts';
import { perPod } from '../words.ts';

type Parts = Pick<Toolkit, 'podClients' | 'callers' | 'limiter' | 'now' | 'redis' | 'reference'>;

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
  const sample = await countsBefore(parts, key, signal);
  const { admitted, stored } = sample;
  if (totalAdmitted(sample) === 0 && stored === 0) return undefined;
  const byPods = parts.reference ? `pods admitted ${perPod(admitted)}; ` : '';
  const message = `Nothing was injected: ${key} had been used before the fault (${byPods}Redis counted ${stored}). Find which other client sends requests for keys that begin with demo-, and run again`;
  return { proof: 'Inconclusive', endedAt: parts.now(), message, evidence: [message] };
}

/** A sample of a key to which this run has sent nothing. @throws if it is incomplete */
export async function countsBefore(parts: Parts, key: string, signal: AbortSignal): Promise<CounterSample> {
  const sample = await countsOf(parts).sample(key, () => new Map(), signal);
  const missing = missingIn(sample, parts.reference ? parts.podClients.length : 0);
  if (missing === undefined) return sample;
  throw new Error(`the counters of ${key} could not be read before the fault: ${missing}`);
}
