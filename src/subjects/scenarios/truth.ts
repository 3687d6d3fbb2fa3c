/**
 * What a fault does, in the terms of a diagnosis. Used only for its grade and never shown to a diagnosis provider.
 * Pure.
 */

import type { Truth } from '../../diagnosis/index.ts';
import type { FaultEvidence } from '../../evidence/index.ts';

/** What a diagnosis should find. */
export interface FaultTruth {
  /** All of them are true of the fault, and a diagnosis may name any: which one shows depends on the limiter. */
  readonly anomalies: readonly Truth['anomaly'][];
  /** Where: in the store, or in the replicas together. */
  readonly at: 'store' | 'replica';
  /** Whether it stays after the end of the fault. */
  readonly stays?: boolean;
}

/** The same relative to the evidence of a fault, whose times begin with it. */
export function truthIn(
  { anomalies, at, stays = false }: FaultTruth,
  { bundle, endedAt, originMs }: Pick<FaultEvidence, 'bundle' | 'endedAt' | 'originMs'>,
): Truth[] {
  const components = bundle.components.filter(({ role }) => role === at).map(({ name }) => name);
  const end = !stays && endedAt !== undefined ? { toMs: endedAt - originMs } : {};
  return anomalies.map((anomaly) => ({ anomaly, components, fromMs: 0, ...end }));
}
