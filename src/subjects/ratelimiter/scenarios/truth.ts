/** What a fault does, in the words that a diagnosis answers in: for its grade alone, no diagnosis is told. Pure. */
import type { FaultEvidence } from '../../../demo/subject.ts';
import type { Truth } from '../../../diagnosis/index.ts';

/** The class that a diagnosis should find, and where: in the store, or in what all replicas do together. */
export interface FaultTruth {
  readonly anomaly: Truth['anomaly'];
  readonly at: 'store' | 'replica';
}

/**
 * The same in terms of the bundle of a fault, whose times begin with it. What a store does is over with the fault;
 * what replicas have admitted together stays, so that has no end.
 */
export function truthIn(
  { anomaly, at }: FaultTruth,
  { bundle, endedAt, originMs }: Pick<FaultEvidence, 'bundle' | 'endedAt' | 'originMs'>,
): Truth[] {
  const components = bundle.components.filter(({ role }) => role === at).map(({ name }) => name);
  const end = at === 'store' && endedAt !== undefined ? { toMs: endedAt - originMs } : {};
  return [{ anomaly, components, fromMs: 0, ...end }];
}
