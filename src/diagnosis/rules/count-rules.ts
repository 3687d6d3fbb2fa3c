/** Faults in what replicas admit and count, separately and together. */

import { span } from '../../api/index.ts';
import { ALL_REPLICAS } from '../check-answer.ts';
import { claim, type Finding, namesOf, requests } from './finding.ts';
import { idsOf, largest, type Measurements, type Sample } from './measurements.ts';

/** Counts in flight arrive within this time. Milliseconds. */
const ARRIVES_MS = 1000;
/** All counts have arrived if nothing was counted for this long. */
const SETTLED_MS = 2000;

/** Findings of all rules about counts. `storeFailsFrom`: since when the store has been failing. */
export function countFindings(measurements: Measurements, storeFailsFrom: number): Finding[] {
  const limit = limitFindings(measurements, storeFailsFrom);
  const cutOff = storeFailsFrom === Infinity ? countsMissingInStore(measurements) : undefined;
  return [...limit, ...(cutOff ? [cutOff] : [])];
}

/** Replicas that exceed the limit individually, or else all of them together. */
function limitFindings(measurements: Measurements, storeFailsFrom: number): Finding[] {
  const { limit, replicas } = measurements;
  if (!limit) return [];
  const limitAt = (at: number): number => measurements.limitAt(at)?.value ?? limit.value;
  const over = replicas.flatMap((replica): { replica: string; most: Sample }[] => {
    const [count, allowed] = [
      measurements.last('count-local', replica),
      measurements.last('requests-admitted', replica),
    ];
    // Admissions may span more than one window, unless the invariant is broken.
    const counts = [count, measurements.invariant?.broken ? allowed : undefined];
    const most = counts.reduce((a, b) => ((b?.value ?? 0) > (a?.value ?? 0) ? b : a), undefined);
    return most && most.value > limitAt(most.at) ? [{ replica, most }] : [];
  });
  if (over.length === 0) return combinedFindings(measurements, limit, storeFailsFrom);
  const held = replicas.filter((replica) => !over.some((one) => one.replica === replica));
  const elsewhere = overInOtherBursts(
    measurements,
    limit,
    over.map(({ replica }) => replica),
  );
  if (elsewhere) return [elsewhere];
  // A replica that also admitted everything just had fewer requests to answer.
  const lax = held.filter((replica) => !rejectsRequests(measurements, replica));
  if (lax.length === held.length && (held.length === 0 || storeFailsFrom < Infinity)) {
    const since = firstBeyond(measurements, limitAt) ?? over[0]?.most.at ?? 0;
    const open = since >= storeFailsFrom;
    return [
      {
        anomaly: 'limit-not-enforced',
        component: ALL_REPLICAS,
        action: 'change-mode',
        confidence: open ? 0.6 : 0.8,
        onsetMs: since,
        chain: claim(
          `${namesOf(over.map(({ replica }) => replica))} ${over.length > 1 ? 'each ' : ''}allowed more than the ${Math.max(...over.map(({ most }) => limitAt(most.at)))} that all together may${open ? ', and only since the store or the connections to it failed' : ''}: ${over.map(({ most }) => most.value).join(', ')}.`,
          [limit.id, ...idsOf(over.map(({ most }) => most))],
        ),
        consequences: ['uncoordinated-admission', 'unknown'],
      },
    ];
  }
  return over
    .toSorted((a, b) => b.most.value - a.most.value)
    .map(({ most, replica }) => ({
      anomaly: 'limit-not-enforced',
      component: replica,
      action: 'restart-component',
      // A pod with a limit of its own would exceed it in every burst.
      confidence: keptInOtherBursts(measurements, replica, limit.value) ? 0.5 : 0.95,
      onsetMs:
        measurements.of('requests-admitted', replica).find(({ at, value }) => value > limitAt(at))?.at ??
        most.at,
      chain: [
        ...claim(
          `${replica} alone has let ${requests(most.value)} through where all replicas together may allow ${limitAt(most.at)}.`,
          [limit.id, most.id, ...idsOf([measurements.last('count-local', replica)])],
        ),
        ...claim(
          `That takes no other replica and no store: it does not hold its own count against the limit, and the others did.`,
          idsOf(
            held.map(
              (other) =>
                measurements.last('count-local', other) ?? measurements.last('requests-admitted', other),
            ),
          ),
        ),
      ],
      consequences: ['uncoordinated-admission', 'unknown'] as const,
    }));
}

/**
 * If more replicas exceeded the limit over several bursts than in this one: the one that does changes from burst to
 * burst, so the cause is shared by all of them. Undefined if no other replica exceeded it.
 */
function overInOtherBursts(
  measurements: Measurements,
  limit: Sample,
  here: readonly string[],
): Finding | undefined {
  const beyond = measurements.replicas.flatMap((replica) => {
    const most = largest(measurements.of('admitted-elsewhere', replica));
    return most && most.value > limit.value ? [{ replica, most }] : [];
  });
  const others = beyond.filter(({ replica }) => !here.includes(replica));
  if (others.length === 0) return undefined;
  const both = [...here, ...others.map(({ replica }) => replica)];
  return {
    anomaly: 'limit-not-enforced',
    component: ALL_REPLICAS,
    action: 'change-mode',
    confidence: 0.8,
    onsetMs: firstBeyond(measurements, () => limit.value) ?? 0,
    chain: [
      ...claim(
        `${namesOf(here)} allowed more than the ${limit.value} that all together may, and in other bursts so did ${namesOf(others.map(({ replica }) => replica))}.`,
        [
          limit.id,
          ...idsOf(here.map((replica) => measurements.last('requests-admitted', replica))),
          ...idsOf(others.map(({ most }) => most)),
        ],
      ),
      ...claim(
        `It is not about one of them: ${both.length} of ${measurements.replicas.length} replicas decide on a count that lacks requests under way, their own among them.`,
        idsOf(beyond.map(({ most }) => most)),
      ),
    ],
    consequences: ['uncoordinated-admission', 'unknown'],
  };
}

/** Whether a replica that exceeded the limit in this burst kept it in another. */
function keptInOtherBursts(measurements: Measurements, replica: string, limit: number): boolean {
  return measurements.of('admitted-elsewhere', replica).some(({ value }) => value <= limit);
}

/** Whether a replica rejected or failed any request, or received none. */
function rejectsRequests(measurements: Measurements, replica: string): boolean {
  const refused = ['requests-rejected', 'requests-errors', 'requests-timeouts'] as const;
  const sent = measurements.last('requests-sent', replica)?.value ?? 0;
  return sent === 0 || refused.some((signal) => (measurements.last(signal, replica)?.value ?? 0) > 0);
}

function combinedFindings(measurements: Measurements, limit: Sample, storeFailsFrom: number): Finding[] {
  const { invariant, lag, replicas } = measurements;
  const [allowed, counted] = [measurements.total('requests-admitted'), measurements.total('count-local')];
  const signal = allowed.value >= counted.value ? 'requests-admitted' : 'count-local';
  const { ids } = signal === 'requests-admitted' ? allowed : counted;
  // If the invariant holds, any excess is within its tolerance.
  const usual = invariant === undefined ? lag : invariant.broken ? 0 : Infinity;
  const part = replicas.filter((replica) => (measurements.last(signal, replica)?.value ?? 0) > 0);
  const beyond = measurements
    .running(signal)
    .map(({ at, value }) => ({ at, value, most: measurements.limitAt(at)?.value ?? limit.value }))
    .filter(({ most, value }) => value > most);
  // Of several times the one with the largest excess.
  const worst = beyond.toSorted((a, b) => b.value - b.most - (a.value - a.most))[0];
  if (!worst || worst.value <= worst.most + usual || part.length < 2) return [];
  const since = beyond[0]?.at ?? 0;
  const { store } = measurements;
  const storeCount = measurements.of('count-stored', store).find((sample) => sample.value >= worst.most);
  const sent = replicas.flatMap((replica) => [
    ...measurements.of('arrivals', replica),
    ...measurements.of('requests-sent', replica),
  ]);
  const firstSent = sent.filter((sample) => sample.value > 0).reduce((at, s) => Math.min(at, s.at), Infinity);
  const writes = measurements.of('write-latency', store).filter(({ at }) => at >= since - ARRIVES_MS);
  return [
    {
      anomaly: 'uncoordinated-admission',
      component: ALL_REPLICAS,
      action: 'change-mode',
      // If the store had the count in time, something else kept it from the replicas.
      confidence: storeFailsFrom <= since || (storeCount && storeCount.at < since) ? 0.5 : 0.9,
      onsetMs: since,
      chain: [
        ...claim(
          `${requests(worst.value)} were admitted, and all replicas together may admit ${worst.most}.`,
          [limit.id, ...ids],
        ),
        ...claim(
          `No single replica exceeded it: each decided by a count without those of the others.`,
          idsOf(
            part.map(
              (replica) => measurements.last('count-local', replica) ?? measurements.last(signal, replica),
            ),
          ),
        ),
        ...claim(
          storeCountText(storeCount, since, firstSent),
          idsOf([storeCount ?? measurements.last('count-stored', store), ...sent]),
        ),
        ...claim(
          `The store accepted writes during that time, so it was not the cause.`,
          storeFailsFrom === Infinity ? idsOf(writes) : [],
        ),
      ],
      consequences: ['unknown'],
    },
  ];
}

function storeCountText(storeCount: Sample | undefined, since: number, firstSent: number): string {
  if (!storeCount) return 'The store was not seen to hold the count of the limit during that time.';
  const waited = Number.isFinite(firstSent)
    ? ` ${span(Math.max(0, storeCount.at - firstSent))} after the first request`
    : '';
  const after = `The store held the count of the limit${waited}`;
  return storeCount.at < since
    ? `${after}, before more than that was admitted: the replicas did not use it.`
    : `${after}, and by then more than that was admitted.`;
}

function firstBeyond(measurements: Measurements, limitAt: (at: number) => number): number | undefined {
  const moments = measurements.replicas.flatMap((replica) =>
    (['requests-admitted', 'count-local'] as const).flatMap(
      (signal) => measurements.of(signal, replica).find(({ at, value }) => value > limitAt(at))?.at ?? [],
    ),
  );
  return moments.length > 0 ? Math.min(...moments) : undefined;
}

/** A replica whose counts do not reach the store, though the store accepts writes and counts of others arrive. */
function countsMissingInStore(measurements: Measurements): Finding | undefined {
  const { lag, replicas, store } = measurements;
  const lastStored = measurements.last('count-stored', store);
  const lastRead = measurements.last('read-latency', store) ?? lastStored;
  if (!lastStored || !lastRead || replicas.length < 2) return undefined;
  const missing = (at: number): number =>
    measurements.total('count-local', at).value - (measurements.last('count-stored', store, at)?.value ?? 0);
  const end = lastRead.at;
  const deficit = Math.min(missing(end), missing(end - ARRIVES_MS));
  // A mere lag catches up as soon as nothing more is counted.
  const counted = measurements.total('count-local').value;
  const settled = measurements.total('count-local', lastStored.at - SETTLED_MS).value === counted;
  if (deficit <= (settled ? 1 : Math.max(lag, 1))) return undefined;
  const counts = replicas
    .map((replica) => ({ replica, count: measurements.last('count-local', replica) }))
    .filter(({ count }) => (count?.value ?? 0) >= deficit)
    .toSorted((a, b) => (b.count?.value ?? 0) - (a.count?.value ?? 0));
  const [most, next] = counts;
  if (!most?.count) return undefined;
  const others = replicas.filter((replica) => replica !== most.replica);
  const writes = measurements.of('write-latency', store).slice(-1);
  return {
    anomaly: 'replica-cut-off',
    component: most.replica,
    action: 'restart-component',
    // Two candidates.
    confidence: next ? 0.5 : 0.85,
    // It may have been so from the first probe on.
    onsetMs: measurements.of('count-local', most.replica)[0]?.at ?? end,
    chain: [
      ...claim(
        `${most.replica} says that it has admitted ${most.count.value}, and ${deficit} of all counts never reached ${store}, which held ${lastStored.value}.`,
        idsOf([most.count, lastStored]),
      ),
      ...claim(
        `The counts of ${namesOf(others)} are in it: it is about ${most.replica} and its way to ${store}.`,
        [...idsOf(others.map((other) => measurements.last('count-local', other))), lastStored.id],
      ),
      ...claim(`${store} itself took writes and answered reads.`, idsOf([...writes, lastRead])),
    ],
    consequences: ['uncoordinated-admission', 'unknown'],
  };
}
