/** A store that was unreachable and has come back without its data. Pure. */
import { span } from '../../api/index.ts';
import { claim, type Finding } from './finding.ts';
import { type Interval, idsOf, type Measurements, type Sample } from './measurements.ts';

/** Delayed counts have arrived this long after a silence. Milliseconds. */
const ARRIVED_MS = 1000;

/** A count that the store no longer holds, while the replicas still do. */
export function restart(
  measurements: Measurements,
  store: string,
  silence: Interval | undefined,
): Finding | undefined {
  const stored = measurements.of('count-stored', store);
  let dropped: { before: Sample; after: Sample } | undefined;
  for (const [i, after] of stored.entries()) {
    const before = stored[i - 1];
    if (before && before.value - after.value > Math.max(1, measurements.lag)) dropped ??= { before, after };
  }
  const vanished = dropped ? undefined : lastBeforeSilence(measurements, store, silence);
  const before = dropped?.before ?? vanished ?? neverArrived(measurements, store, silence);
  if (!before) return undefined;
  const at = dropped?.after.at ?? silence?.to ?? before.at;
  // The end of a window also resets the counts of the replicas.
  const locals = measurements.replicas.filter(
    (replica) => (measurements.last('count-local', replica, before.at)?.value ?? 0) > 0,
  );
  const reset = locals.filter((replica) => {
    const count = measurements.of('count-local', replica).find((sample) => sample.at >= before.at)?.value;
    return count !== undefined && count < (measurements.last('count-local', replica, before.at)?.value ?? 0);
  });
  if (locals.length > 0 && reset.length === locals.length) return undefined;
  return {
    anomaly: 'store-restarted',
    component: store,
    action: 'reset-counter',
    confidence: dropped ? 0.85 : 0.6,
    onsetMs: silence ? Math.min(silence.from, before.at) : before.at,
    chain: [
      ...claim(
        silence
          ? `${store} was silent for ${span(silence.to - silence.from)}, and answered again.`
          : `${store} answered reads before and after.`,
        silence ? idsOf(silence.samples) : idsOf([measurements.last('read-latency', store, at)]),
      ),
      ...claim(
        dropped
          ? `It held ${before.value} and then ${dropped.after.value}, though counts in it only grow: it lost what it held.`
          : vanished
            ? `It held ${before.value} before, and the count is not there any more.`
            : `It holds ${before.value}, long after it answered again, and what the replicas had counted is not in it.`,
        idsOf([before, dropped?.after]),
      ),
      ...claim(
        `The replicas did not start anew: they still say what they have admitted.`,
        measurements.total('count-local').ids,
      ),
    ],
    consequences: [
      'uncoordinated-admission',
      'store-unreachable',
      'store-writes-stalled',
      'replica-cut-off',
      'replica-slow',
      'unknown',
    ],
  };
}

/** The last count before a silence after which reads are answered and the count is gone. */
function lastBeforeSilence(
  measurements: Measurements,
  store: string,
  silence: Interval | undefined,
): Sample | undefined {
  if (!silence) return undefined;
  const before = measurements.last('count-stored', store, silence.from + 1);
  const laterReads = measurements.of('read-latency', store).filter(({ at }) => at > silence.to);
  const wasProbed = measurements.replicas.some(
    (replica) => (measurements.last('count-local', replica)?.at ?? -Infinity) > silence.to,
  );
  const hasCount = measurements.of('count-stored', store).some(({ at }) => at > silence.to);
  return before && before.value > 0 && laterReads.length > 0 && wasProbed && !hasCount ? before : undefined;
}

/** The count long after a silence, if it lacks counts that the replicas made and have not added to for a while. */
function neverArrived(
  measurements: Measurements,
  store: string,
  silence: Interval | undefined,
): Sample | undefined {
  if (!silence) return undefined;
  const after = measurements.last('count-stored', store);
  if (!after || after.at < silence.to + ARRIVED_MS) return undefined;
  const counted = measurements.total('count-local', after.at - ARRIVED_MS).value;
  const isSettled = measurements.total('count-local', after.at).value === counted;
  return isSettled && counted - after.value > Math.max(1, measurements.lag) ? after : undefined;
}
