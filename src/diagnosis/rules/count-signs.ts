/** Signs of a fault in what replicas admit and count, separately and together. Pure. */
import { ALL_REPLICAS } from '../answer.ts';
import { ARRIVES_MS, largest, type Measurements, type Sample } from './measurements.ts';

const COUNTS = ['count-local', 'requests-admitted'] as const;

/** Replicas that exceeded the limit of all replicas together by their own counts: each of them, or all alike. */
export function overLimit(measurements: Measurements, storeFailsFrom: number) {
  const { limit, replicas } = measurements;
  const over = replicas.flatMap((replica) => overOf(measurements, replica) ?? []);
  if (!limit || over.length === 0) return [];
  const others = replicas.filter((replica) => !over.some(({ component }) => component === replica));
  // The one that does may change from burst to burst.
  const elsewhere = measurements
    .all(['admitted-elsewhere'], others)
    .filter(({ value }) => value > limit.value);
  // A replica that also admitted everything just had fewer requests to answer.
  const areLax = others.every((replica) => !rejectsRequests(measurements, replica));
  if (elsewhere.length > 0 || (areLax && (others.length === 0 || storeFailsFrom < Infinity))) {
    const most = [...over.flatMap((one) => one.most), ...elsewhere];
    const from = Math.min(...over.map((one) => one.from));
    return [{ component: ALL_REPLICAS, from, confidence: 0.8, limit, most, others: [] }];
  }
  return over.map((one) => {
    // A replica with a limit of its own would exceed it in every burst.
    const kept = measurements
      .of('admitted-elsewhere', one.component)
      .some(({ value }) => value <= limit.value);
    return { ...one, confidence: kept ? 0.5 : 0.95, others: measurements.all(COUNTS, others) };
  });
}

function overOf(measurements: Measurements, component: string) {
  // Admissions may span more than one window, unless the invariant is broken.
  const signals = measurements.invariant?.broken ? COUNTS : (['count-local'] as const);
  const most = largest(signals.flatMap((signal) => measurements.last(signal, component) ?? []));
  const limit = most && measurements.limitAt(most.at);
  if (!limit || most.value <= limit.value) return undefined;
  const isOver = ({ at, value }: Sample): boolean => value > (measurements.limitAt(at)?.value ?? Infinity);
  const from = Math.min(
    most.at,
    ...measurements
      .all(COUNTS, [component])
      .filter(isOver)
      .map(({ at }) => at),
  );
  return { component, from, limit, most: [most] };
}

/** Whether a replica rejected or failed any request, or received none. */
function rejectsRequests(measurements: Measurements, replica: string): boolean {
  const refused = ['requests-rejected', 'requests-errors', 'requests-timeouts'] as const;
  const [sent, rejected] = [['requests-sent'] as const, refused].map((of) =>
    measurements.grown(of, replica, -Infinity),
  );
  return sent === 0 || rejected !== 0;
}

/** All replicas together exceeded the limit, though none of them did. */
export function overTogether(measurements: Measurements, storeFailsFrom: number) {
  const { invariant, lag, limit, replicas, store } = measurements;
  if (!limit || replicas.some((replica) => overOf(measurements, replica))) return [];
  const [allowed, counted] = [measurements.total('requests-admitted'), measurements.total('count-local')];
  const signal = allowed.value >= counted.value ? 'requests-admitted' : 'count-local';
  const parts = (signal === 'requests-admitted' ? allowed : counted).samples.filter(({ value }) => value > 0);
  // If the invariant holds, any excess is within its tolerance.
  const usual = invariant === undefined ? lag : invariant.broken ? 0 : Infinity;
  const beyond = measurements
    .running(signal)
    .map(({ at, value: count }) => {
      const most = measurements.limitAt(at)?.value ?? count;
      return { at, count, most, value: count - most };
    })
    .filter(({ value }) => value > 0);
  // Of several times the one with the largest excess.
  const worst = largest(beyond);
  if (!worst || worst.value <= usual || parts.length < 2) return [];
  const { count, most } = worst;
  const evidence = [limit, ...allowed.samples, ...counted.samples];
  const from = beyond[0]?.at ?? 0;
  const held = measurements.of('count-stored', store).find(({ value }) => value >= most);
  const isHeldBefore = held !== undefined && held.at < from;
  const confidence = storeFailsFrom <= from || isHeldBefore ? 0.5 : 0.9;
  return [{ component: ALL_REPLICAS, from, count, most, evidence, held, isHeldBefore, confidence }];
}

/** A replica whose counts do not reach the store, though the store serves others. */
export function missingCounts(measurements: Measurements) {
  const { lag, replicas, store } = measurements;
  const stored = measurements.last('count-stored', store);
  const read = measurements.last('read-latency', store) ?? stored;
  if (!stored || !read || replicas.length < 2) return [];
  const missing = (at: number): number =>
    measurements.total('count-local', at).value - (measurements.last('count-stored', store, at)?.value ?? 0);
  const deficit = Math.min(missing(read.at), missing(read.at - ARRIVES_MS));
  const counts = replicas.flatMap((replica) => {
    const count = measurements.last('count-local', replica);
    return count && count.value >= deficit ? [{ replica, count, value: count.value }] : [];
  });
  const most = largest(counts);
  if (!most || deficit <= Math.max(lag, 1)) return [];
  const { count, replica } = most;
  // It may have been so from the first probe on.
  const from = measurements.of('count-local', replica)[0]?.at ?? count.at;
  const others = replicas.filter((other) => other !== replica);
  const served = [
    read,
    measurements.last('write-latency', store),
    ...measurements.all(['count-local'], others),
  ];
  const confidence = counts.length > 1 ? 0.5 : 0.85;
  return [{ component: replica, from, count, deficit, stored, served, confidence }];
}
