/**
 * Reads a timeline into the facts that the rules reason with: when the store
 * stopped taking writes and whether it still answered reads meanwhile, how far
 * the counts parted and when, how many requests went where and how fast.
 */
import type { Signal } from '../evidence/index.ts';
import { type Observation, observationsOf } from './observation.ts';
import type { DiagnosisRequest } from './provider.ts';

export interface Facts {
  readonly store: string;
  readonly replicas: readonly string[];
  readonly limit?: Observation;
  /** The slowest write that was accepted before any write hung; milliseconds. */
  readonly usualWrite?: Observation;
  /** A period without accepted writes, where there was one. */
  readonly stall?: Stall;
  /** The store gave no answer of any kind. */
  readonly storeSilent?: Observation;
  /** Replicas that gave no answer while others did. */
  readonly silentReplicas: readonly Observation[];
  readonly counts: Counts;
  readonly requests: Requests;
  /** A write accepted while the requests were under way. */
  readonly writeMeanwhile?: Observation;
}

/** Writes hang: from the first one that hung well beyond the usual. */
export interface Stall {
  readonly seen: Observation;
  /** When the hanging write was sent: the stall had begun by then. */
  readonly sinceMs: number;
  /** A read answered while it lasted. */
  readonly read?: Observation;
  /** The first write accepted after it. */
  readonly release?: Observation;
}

export interface Counts {
  /** Without any fault the store lay this far behind at most. */
  readonly lag: number;
  /** The furthest that the replicas' counts, summed, were ahead of the store's. */
  readonly gap: number;
  /** When they were first further apart than the lag. */
  readonly partedAtMs?: number;
  /** The last local counts before the gap was at its largest, and the store's. */
  readonly atWidest: readonly Observation[];
  /** The last word of each replica. */
  readonly lastLocal: readonly Observation[];
  readonly lastStored?: Observation;
  /** When the store first held as much as the limit. */
  readonly storedLimitAtMs?: number;
}

export interface Requests {
  readonly sent: number;
  readonly allowed: number;
  readonly unanswered: number;
  readonly firstAtMs?: number;
  /** From the first request to the last one. */
  readonly spanMs: number;
  /** When more than the limit had been allowed. */
  readonly exceededAtMs?: number;
  /** The last `requests-allowed` of each replica. */
  readonly lastAllowed: readonly Observation[];
}

/** A write that hangs at least this long is worth a thought whatever is usual; milliseconds. */
const STALL_FLOOR_MS = 100;
/** And at least this many times the usual. */
const STALL_FACTOR = 5;

/** The facts of a request. Components are told apart by role alone, never by name. */
export function readFacts(request: DiagnosisRequest): Facts {
  const timeline = observationsOf(request.bundle);
  const { components } = request.bundle;
  const store = components.find((component) => component.role === 'store')?.name ?? 'store';
  const replicas = components.filter(({ role }) => role === 'replica').map(({ name }) => name);

  const of = (signal: Signal, component?: string): Observation[] =>
    timeline.filter((o) => o.signal === signal && (component === undefined || o.component === component));

  const limit = of('limit').at(-1);
  const requests = readRequests(timeline, replicas, limit?.value);
  const stall = findStall(
    of('write-latency', store),
    of('write-outstanding', store),
    of('read-latency', store),
  );
  const storeSilent = findSilence(of('unreachable', store), of('read-latency', store));
  const writeMeanwhile = of('write-latency', store).find(
    ({ atMs, value }) =>
      requests.firstAtMs !== undefined &&
      atMs >= requests.firstAtMs &&
      atMs - value <= requests.firstAtMs + requests.spanMs + STALL_FLOOR_MS,
  );
  const before = of('write-latency', store).filter(({ atMs }) => atMs < (stall?.sinceMs ?? Infinity));

  return {
    store,
    replicas,
    ...(limit && { limit }),
    ...(before.length > 0 && { usualWrite: before.reduce((a, b) => (b.value > a.value ? b : a)) }),
    ...(stall && { stall }),
    ...(storeSilent && { storeSilent }),
    silentReplicas: findSilentReplicas(timeline, replicas),
    counts: readCounts(timeline, replicas, store, limit?.value),
    requests,
    ...(writeMeanwhile && { writeMeanwhile }),
  };
}

function findStall(
  accepted: Observation[],
  outstanding: Observation[],
  reads: Observation[],
): Stall | undefined {
  for (const seen of outstanding) {
    const sinceMs = seen.atMs - seen.value;
    const usual = Math.max(0, ...accepted.filter((o) => o.atMs < sinceMs).map((o) => o.value));
    if (seen.value < Math.max(STALL_FLOOR_MS, usual * STALL_FACTOR)) continue;
    const release = accepted.find((o) => o.atMs > seen.atMs);
    // The read has to be sent after the write hung, or it proves nothing.
    const read = reads.find((o) => o.atMs - o.value >= sinceMs && o.atMs < (release?.atMs ?? Infinity));
    return { seen, sinceMs, ...(read && { read }), ...(release && { release }) };
  }
  return undefined;
}

/** The first sign of silence that no answered read contradicts within the same wait. */
function findSilence(unreachable: Observation[], reads: Observation[]): Observation | undefined {
  return unreachable.find(
    (o) => !reads.some((read) => read.atMs - read.value >= o.atMs - o.value && read.atMs <= o.atMs),
  );
}

function findSilentReplicas(timeline: Observation[], replicas: readonly string[]): Observation[] {
  const last = (signal: Signal, replica: string): Observation | undefined =>
    timeline.findLast((o) => o.signal === signal && o.component === replica);
  const silent: Observation[] = [];
  for (const replica of replicas) {
    const sent = last('requests-sent', replica)?.value ?? 0;
    const unanswered = last('requests-unanswered', replica);
    const ofRequests =
      sent > 0 && unanswered !== undefined && unanswered.value >= sent ? unanswered : undefined;
    const unreachable = last('unreachable', replica);
    // One that has answered since is not silent.
    const answered = last('count-local', replica)?.atMs ?? -Infinity;
    const sign = unreachable && unreachable.atMs > answered ? unreachable : ofRequests;
    if (sign !== undefined) silent.push(sign);
  }
  // When none of them answers it is not about one replica.
  return silent.length < replicas.length ? silent : [];
}

function readCounts(
  timeline: Observation[],
  replicas: readonly string[],
  store: string,
  limit: number | undefined,
): Counts {
  const lag = Math.max(0, ...timeline.filter((o) => o.signal === 'count-lag').map((o) => o.value));
  const local = new Map<string, Observation>();
  let stored: Observation | undefined;
  let gap = 0;
  let partedAtMs: number | undefined;
  let storedLimitAtMs: number | undefined;
  let atWidest: Observation[] = [];
  for (const observation of timeline) {
    const { signal, component, atMs } = observation;
    if (signal === 'count-local' && replicas.includes(component)) local.set(component, observation);
    else if (signal === 'count-stored' && component === store) stored = observation;
    else continue;
    if (stored === undefined) continue;
    if (limit !== undefined && stored.value >= limit) storedLimitAtMs ??= atMs;
    const now = [...local.values()].reduce((sum, o) => sum + o.value, 0) - stored.value;
    if (now > lag) partedAtMs ??= atMs;
    if (now > gap) {
      gap = now;
      atWidest = [...local.values(), stored];
    }
  }
  return {
    lag,
    gap,
    ...(partedAtMs !== undefined && { partedAtMs }),
    atWidest,
    lastLocal: [...local.values()],
    ...(stored && { lastStored: stored }),
    ...(storedLimitAtMs !== undefined && { storedLimitAtMs }),
  };
}

function readRequests(
  timeline: Observation[],
  replicas: readonly string[],
  limit: number | undefined,
): Requests {
  const latest = { sent: new Map<string, Observation>(), allowed: new Map<string, Observation>() };
  const unanswered = new Map<string, number>();
  let firstAtMs: number | undefined;
  let lastAtMs = 0;
  let exceededAtMs: number | undefined;
  const sum = (counts: Map<string, Observation>): number =>
    [...counts.values()].reduce((total, o) => total + o.value, 0);
  for (const observation of timeline) {
    const { signal, component, value, atMs } = observation;
    if (!replicas.includes(component)) continue;
    if (signal === 'requests-sent') {
      if (value > (latest.sent.get(component)?.value ?? 0)) {
        firstAtMs ??= atMs;
        lastAtMs = atMs;
      }
      latest.sent.set(component, observation);
    } else if (signal === 'requests-allowed') {
      latest.allowed.set(component, observation);
      if (limit !== undefined && sum(latest.allowed) > limit) exceededAtMs ??= atMs;
    } else if (signal === 'requests-unanswered') {
      unanswered.set(component, value);
    }
  }
  return {
    sent: sum(latest.sent),
    allowed: sum(latest.allowed),
    unanswered: [...unanswered.values()].reduce((total, count) => total + count, 0),
    ...(firstAtMs !== undefined && { firstAtMs }),
    spanMs: firstAtMs === undefined ? 0 : lastAtMs - firstAtMs,
    ...(exceededAtMs !== undefined && { exceededAtMs }),
    lastAllowed: [...latest.allowed.values()],
  };
}
