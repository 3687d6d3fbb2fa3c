/** Signs of a fault in what replicas admit and count, separately and together. Pure. */
import { ALL_REPLICAS } from '../answer.ts';
import { ARRIVES_MS, largest, type Measurements, type Sample } from './measurements.ts';

const COUNTS = ['count-local', 'requests-admitted'] as const;

/** Replicas that exceeded the limit of all replicas together by their own counts, unlike the others. */
export function overLimit(measurements: Measurements, storeFailsFrom: number) {
  const { limit, replicas } = measurements;
  const over = replicas.flatMap((replica) => overOf(measurements, replica) ?? []);
  const most = largest(over.map((one) => one.most));
  if (!limit || !most) return [];
  const names = over.map(({ component }) => component);
  const others = replicas.filter((replica) => !names.includes(replica));
  const rejects = (replica: string): boolean => rejectsRequests(measurements, replica);
  const elsewhere = (of: readonly string[], isOver: boolean): boolean =>
    measurements.all(['admitted-elsewhere'], of).some(({ value }) => value > limit.value === isOver);
  // A replica without the limit, or with another, exceeds it in every burst. In a race, any may, or the others do too.
  const changes = elsewhere(names, false) || elsewhere(others, true);
  const rest = measurements.total('requests-admitted').value - most.value;
  const isRace = changes || (rest > limit.value && names.some(rejects));
  // A replica that also admitted everything just had fewer requests to answer.
  const areLax = !others.some(rejects) && (others.length === 0 || storeFailsFrom < Infinity);
  if (isRace || areLax) return [];
  const confidence = names.some(rejects) ? 0.7 : 0.95;
  return over.map((one) => ({ ...one, confidence, others: measurements.all(COUNTS, others) }));
}

function overOf(measurements: Measurements, component: string) {
  // Admissions may span more than one window, unless the invariant is broken.
  const signals = measurements.invariant?.broken ? COUNTS : (['count-local'] as const);
  const most = largest(signals.flatMap((signal) => measurements.last(signal, component) ?? []));
  const limit = most && measurements.limitAt(most.at);
  if (!limit || most.value <= limit.value) return undefined;
  const isOver = ({ at, value }: Sample): boolean => value > (measurements.limitAt(at)?.value ?? Infinity);
  const times = measurements.all(COUNTS, [component]).flatMap((one) => (isOver(one) ? one.at : []));
  return { component, from: Math.min(most.at, ...times), limit, most };
}

/** Whether a replica rejected or failed any request, or received none. */
function rejectsRequests(measurements: Measurements, replica: string): boolean {
  const refused = ['requests-rejected', 'requests-errors', 'requests-timeouts'] as const;
  const [sent, rejected] = [['requests-sent'] as const, refused].map((of) =>
    measurements.grown(of, replica, -Infinity),
  );
  return sent === 0 || rejected !== 0;
}

/** All replicas together exceeded the limit, not only one that decides differently. */
export function overTogether(measurements: Measurements, storeFailsFrom: number) {
  const { invariant, lag, limit, replicas, store } = measurements;
  if (!limit || overLimit(measurements, storeFailsFrom).length > 0) return [];
  const [allowed, counted] = [measurements.total('requests-admitted'), measurements.total('count-local')];
  const signal = allowed.value >= counted.value ? 'requests-admitted' : 'count-local';
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
  if (!worst || worst.value <= usual) return [];
  const { count, most } = worst;
  const evidence = [limit, ...allowed.samples, ...counted.samples];
  const from = beyond[0]?.at ?? 0;
  const held = measurements.of('count-stored', store).find(({ value }) => value >= most);
  const isHeldBefore = held !== undefined && held.at < from;
  const confidence = storeFailsFrom <= from || isHeldBefore ? 0.5 : 0.9;
  const over = replicas.flatMap((replica) => overOf(measurements, replica) ?? []);
  return [{ component: ALL_REPLICAS, from, count, most, evidence, held, isHeldBefore, over, confidence }];
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
