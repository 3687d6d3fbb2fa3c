/**
 * What a fault does, in the terms of a diagnosis. Used only for its grade and never shown to a diagnosis provider.
 * Pure.
 */
import type { FaultEvidence } from '../../../demo/subject.ts';
import type { Truth } from '../../../diagnosis/index.ts';

/** The class that a diagnosis should find, and where: in the store, or in the replicas together. */
export interface FaultTruth {
  readonly anomaly: Truth['anomaly'];
  readonly at: 'store' | 'replica';
}

/**
 * The same relative to the evidence of a fault, whose times begin with it. The effect of a store ends with the fault;
 * admissions of replicas stay, so that has no end.
 */
export function truthIn(
  { anomaly, at }: FaultTruth,
  { bundle, endedAt, originMs }: Pick<FaultEvidence, 'bundle' | 'endedAt' | 'originMs'>,
): Truth[] {
  const components = bundle.components.filter(({ role }) => role === at).map(({ name }) => name);
  const end = at === 'store' && endedAt !== undefined ? { toMs: endedAt - originMs } : {};
  return [{ anomaly, components, fromMs: 0, ...end }];
}
