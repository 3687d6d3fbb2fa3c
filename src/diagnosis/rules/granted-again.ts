/** A limit that the replicas together granted twice: the count that they share started again from 0 in the store. Pure. */
import { span } from '../../api/index.ts';
import { claim, type Finding, requests } from './finding.ts';
import { idsOf, largest, type Measurements } from './measurements.ts';

/** Nothing was admitted for this long between the two, nor after them. Milliseconds. */
const LEAST_MS = 900;

/**
 * A finding if all replicas together admitted exactly the limit of a caller, and later exactly as much again, in which
 * two of them had a part. Replicas that count separately, or have no count, would admit another number.
 */
export function grantedAgain(measurements: Measurements, store: string): Finding | undefined {
  const { endMs, invariant, limit, replicas } = measurements;
  if (!limit || invariant?.broken !== true) return undefined;
  const exceeded = (['newcomer-admitted', 'requests-admitted'] as const)
    .map((signal) => ({ signal, running: measurements.running(signal) }))
    .filter(({ running }) => (running.at(-1)?.value ?? 0) > limit.value);
  // If only one caller got its limit twice, the count of another one was still there.
  const twice = exceeded.map(({ running, signal }) => {
    const begin = running.findIndex(({ value }) => value > limit.value);
    const [before, after, last] = [running[begin - 1], running[begin], running.at(-1)];
    if (before?.value !== limit.value || last?.value !== 2 * limit.value || !after) return undefined;
    const parts = replicas.filter((replica) => measurements.grown(signal, replica, before.at) > 0);
    const pauses = [after.at - before.at, endMs - last.at];
    if (parts.length < 2 || pauses.some((ms) => ms < LEAST_MS)) return undefined;
    return { from: before.at, onset: after.at, to: last.at, ids: measurements.total(signal).ids };
  });
  const [first] = twice;
  if (!first || twice.some((one) => one === undefined)) return undefined;
  const served = measurements.servedWithin(first.from, first.to) ?? [];
  const slowest = largest(served);
  if (!slowest) return undefined;
  return {
    anomaly: 'store-restarted',
    component: store,
    action: 'reset-counter',
    confidence: 0.7,
    onsetMs: first.onset,
    chain: [
      ...claim(
        `All replicas together admitted ${requests(limit.value)} of a caller, none for ${span(first.onset - first.from)}, and then exactly as many again: the count that they share started again from 0.`,
        [...first.ids, limit.id],
      ),
      ...claim(
        `${store} answered other clients within ${span(slowest.value)} in that time: it was there, without that count.`,
        idsOf(served),
      ),
    ],
    consequences: ['uncoordinated-admission', 'limit-not-enforced', 'unknown'],
  };
}
