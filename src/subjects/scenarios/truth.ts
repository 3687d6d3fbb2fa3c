/**
 * What a fault does, in the terms of a diagnosis. Used only for its grade and never shown to a diagnosis provider.
 * Pure.
 */

import type { Truth } from '../../diagnosis/index.ts';
import type { EvidenceBundle } from '../../evidence/index.ts';

/** What a diagnosis should find. */
export interface FaultTruth {
  /** All of them are true of the fault, and a diagnosis may name any: which one shows depends on the limiter. */
  readonly anomalies: readonly Truth['anomaly'][];
  /** Where: in the store, or in the replicas together. */
  readonly at: 'store' | 'replica';
}

/** The same in the terms of a bundle. */
export function truthIn({ anomalies, at }: FaultTruth, { components }: EvidenceBundle): Truth[] {
  const faulty = components.filter(({ role }) => role === at).map(({ name }) => name);
  return anomalies.map((anomaly) => ({ anomaly, components: faulty }));
}
