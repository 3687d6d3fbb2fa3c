/**
 * What is certain of the holds of a lock, by the sender's own clock. A slot is held for certain from the answer that
 * granted it until its release was sent, or until its ttl had passed since the request was sent: Redis cannot have set it
 * earlier. What only may be a hold, as after a request without an answer, violates nothing. Pure.
 */
import { once } from '../../checkers/checker.ts';
import type { RecordSetup } from '../../checkers/record.ts';
import { admittedAt, countsOf, phasesOf } from '../../checkers/requests.ts';
import { goneOf, type Seen } from '../../checkers/seen.ts';
import { LEAST_REQUESTS } from '../../checkers/share-interval.ts';
import type { CallerRequest } from '../../history/events.ts';
import type { LockSpec } from '../spec/schema.ts';

export const BEHAVIOURS = ['Excludes', 'DoubleGrants', 'Denies', 'Hangs', 'Mixed'] as const;

/**
 * Excludes: contenders are granted the lock as often as without a fault, and never too many at once.
 * DoubleGrants: more than its slots were held at once, for certain.
 * Denies: hardly any contender is granted it; they are denied, or get an error.
 * Hangs: they have no answer within the time that a caller waits.
 * Mixed: none of these is what nine of ten contenders get.
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** All that the checkers need to know before the first event. */
export interface LockSetup extends RecordSetup {
  readonly fixture: string;
  /** As `ExclusionPlan`. */
  readonly plan: RecordSetup['plan'] & {
    readonly part: Pick<LockSpec, 'acquire' | 'slots'>;
    readonly parameters: { readonly accept: readonly Behaviour[] };
    /** Infinite: a slot is held until it is released; milliseconds. */
    readonly ttlMs: number;
    readonly callerTimeoutMs: number;
    readonly recoverMs: number;
    keysOf(fixture: string): readonly string[];
  };
}

export type LockSeen = Seen<LockSetup>;

export interface Hold {
  readonly key: string;
  readonly pod: string;
  /** Of the request; milliseconds since the epoch, as all times. */
  readonly sentAt: number;
  readonly from: number;
  readonly to: number;
  /** When the release was answered or given up: until then, others may be denied rightly. */
  readonly until: number;
  readonly fence?: number | undefined;
}

/** The certain holds of each key, in the order in which they began. */
export const holdsOf = once(({ requests, setup }: LockSeen) => {
  const releases = new Map<number | undefined, CallerRequest>();
  // The first one of a grant, since that ended first.
  for (const request of requests.toReversed()) releases.set(request.grant, request);
  const holds = requests.flatMap((request, id): Hold[] => {
    const from = request.caller === 'Acquire' ? admittedAt(request) : undefined;
    const released = releases.get(id);
    // Until when one without a recorded release was held is not known.
    if (from === undefined || !released) return [];
    const { fence, key = '', pod, sentAt } = request;
    const to = Math.min(released.sentAt, sentAt + setup.plan.ttlMs);
    return to > from ? [{ key, pod, sentAt, from, to, until: released.endedAt, fence }] : [];
  });
  return Map.groupBy(
    holds.toSorted((a, b) => a.from - b.from),
    ({ key }) => key,
  );
});

/** Each hold, with those that were open when it began, itself included. @param holds in the order in which they began */
export function overlapsOf(holds: readonly Hold[]) {
  let open: readonly Hold[] = [];
  return holds.map((hold) => {
    open = [...open.filter(({ to }) => to > hold.from), hold];
    return { hold, open };
  });
}

/** Each grant of a key whose slots were all held for certain; in order. */
export const doubleGrantsOf = once((seen: LockSeen) =>
  [...holdsOf(seen).values()]
    .flatMap(overlapsOf)
    .filter(({ open }) => open.length > seen.setup.plan.part.slots)
    .toSorted((a, b) => a.hold.from - b.hold.from),
);

/** Requests to acquire for which this is true of as many holds of their key as it has slots. */
function acquiresWith(seen: LockSeen, is: (request: CallerRequest, hold: Hold) => boolean): CallerRequest[] {
  const { requests, setup } = seen;
  const { callerTimeoutMs, part } = setup.plan;
  const byKey = Map.groupBy(
    requests.filter(({ caller }) => caller === 'Acquire').toSorted((a, b) => a.sentAt - b.sentAt),
    ({ key = '' }) => key,
  );
  return [...byKey].flatMap(([key, acquires]) => {
    const holds = holdsOf(seen).get(key) ?? [];
    let [next, near]: [number, Hold[]] = [0, []];
    return acquires.filter((request) => {
      near = near.filter(({ until }) => until >= request.sentAt);
      const beyond = request.endedAt + callerTimeoutMs;
      for (let hold = holds[next]; hold && hold.from <= beyond; hold = holds[++next]) near.push(hold);
      return near.filter((hold) => is(request, hold)).length >= part.slots;
    });
  });
}

/** Requests to acquire while all slots of their key were held for certain: each grant would have been a double one. */
export const contendedOf = once((seen: LockSeen) =>
  acquiresWith(seen, ({ endedAt, sentAt }, { from, to }) => from <= sentAt && to >= endedAt),
);

/** What contenders got around the fault; undefined until both its ends were seen. */
export const viewOf = once((seen: LockSeen) => {
  const { endedAt, startedAt } = seen.times;
  if (startedAt === undefined || endedAt === undefined) return undefined;
  const { callerTimeoutMs, recoverMs } = seen.setup.plan;
  const trafficTo = seen.last['traffic-ended']?.at ?? Number.POSITIVE_INFINITY;
  const gone = goneOf(seen);
  const acquires = seen.requests.filter(
    ({ caller, pod, sentAt }) => caller === 'Acquire' && !gone.has(pod) && sentAt < trafficTo,
  );
  const { before, during } = phasesOf(acquires, { startedAt, endedAt }, callerTimeoutMs);
  const late = acquires.filter(({ sentAt }) => sentAt >= endedAt + recoverMs / 2);
  const held = acquiresWith(seen, (one, hold) => hold.sentAt <= one.endedAt && hold.until >= one.sentAt);
  const rightly = new Set(held.filter(({ outcome }) => outcome === 'Rejected'));
  const free = (requests: readonly CallerRequest[]) => countsOf(requests.filter((one) => !rightly.has(one)));
  const calm = free(before);
  return {
    during,
    /** Without those that were denied rightly, as far as is known: while others had the lock, or were about to. */
    free: free(during),
    // What the fault left may be why contenders are denied after it.
    calm: calm.Admitted + calm.Rejected < LEAST_REQUESTS ? free(late) : calm,
  };
});
