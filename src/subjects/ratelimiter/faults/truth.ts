/** What a fault does, in the words that a diagnosis answers in: for its grade alone, no diagnosis is told. Pure. */
import type { Truth } from '../../../diagnosis/index.ts';
import type { EvidenceBundle } from '../../../evidence/index.ts';

/** The class that a diagnosis should find, and where: in the store, or in what all replicas do together. */
export interface FaultTruth {
  readonly anomaly: Truth['anomaly'];
  readonly at: 'store' | 'replica';
}

/** The same in terms of a bundle, whose times begin with the fault. */
export function truthIn({ anomaly, at }: FaultTruth, { components }: EvidenceBundle): Truth[] {
  const names = components.filter(({ role }) => role === at).map(({ name }) => name);
  return [{ anomaly, components: names, fromMs: 0 }];
}
