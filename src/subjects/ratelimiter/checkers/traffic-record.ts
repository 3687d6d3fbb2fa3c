/**
 * What the sender of steady traffic knows: the requests to each pod, and when each was admitted. Nothing of the rate
 * limiter's counters. Pure.
 */
import type { CallerRequest } from '../history/events.ts';

/** Requests to one pod since the fault was confirmed. */
export interface PodTraffic {
  readonly sent: number;
  /** Admitted, rejected, or failed without an admission. */
  readonly answered: number;
  readonly admitted: number;
  /** Answered with a server error: not admitted, and nothing decided; part of `answered`. */
  readonly errors: number;
  /** No answer came in time, or the connection broke. */
  readonly timeouts: number;
}

/** Over all pods. */
export interface TrafficTotals {
  readonly requests: number;
  readonly admitted: number;
  readonly rejected: number;
  readonly errors: number;
  readonly timeouts: number;
  /** Requests for which it is unknown whether they were admitted: not answered in time, or yet, or properly. */
  readonly open: number;
}

type Counts = { -readonly [K in keyof PodTraffic]: PodTraffic[K] };

export class TrafficRecord {
  readonly #byPod: Map<string, Counts>;
  readonly #answeredAt = new Map<string, number[]>();
  readonly #admitted: { readonly at: number; readonly pod: string }[] = [];
  /** Requests that were in flight at the last sample and have not ended since, by pod. */
  #inFlight = new Map<string, number>();
  /** All requests sent until then that have not ended are among them. */
  #sampledAt = Number.NEGATIVE_INFINITY;
  #lastEndedAt = Number.NEGATIVE_INFINITY;

  constructor(pods: readonly string[]) {
    this.#byPod = new Map(
      pods.map((pod) => [pod, { sent: 0, answered: 0, admitted: 0, errors: 0, timeouts: 0 }]),
    );
  }

  get byPod(): ReadonlyMap<string, PodTraffic> {
    return new Map(
      [...this.#byPod].map(([pod, counts]) => [
        pod,
        { ...counts, sent: counts.sent + (this.#inFlight.get(pod) ?? 0) },
      ]),
    );
  }

  /** Call for each ended request, in the order of their ends. A request that was not sent is ignored. */
  request({ cause, endedAt, outcome, pod, sentAt }: CallerRequest): void {
    const counts = this.#of(pod);
    this.#lastEndedAt = Math.max(this.#lastEndedAt, endedAt);
    const onTheirWay = this.#inFlight.get(pod) ?? 0;
    // It was one of those in flight, and must not be counted twice.
    if (sentAt <= this.#sampledAt && onTheirWay > 0) this.#inFlight.set(pod, onTheirWay - 1);
    if (cause === 'Unreachable') return;
    counts.sent += 1;
    if (outcome === 'Timeout' || cause === 'Reset') counts.timeouts += 1;
    // The answer shows neither, so it is unknown whether the request was admitted.
    else if (cause !== 'Answer') this.#answered(counts, pod, outcome, endedAt);
  }

  #answered(counts: Counts, pod: string, outcome: CallerRequest['outcome'], at: number): void {
    counts.answered += 1;
    const times = this.#answeredAt.get(pod) ?? [];
    this.#answeredAt.set(pod, times);
    times.push(at);
    if (outcome === 'Error') counts.errors += 1;
    if (outcome !== 'Admitted') return;
    counts.admitted += 1;
    this.#admitted.push({ at, pod });
  }

  /** Requests in flight, by pod, at `at` or later. */
  inFlight(requests: Readonly<Record<string, number>>, at: number): void {
    this.#inFlight = new Map(Object.entries(requests));
    // What a sample shows may be older than the sample, but not than the last request that ended.
    this.#sampledAt = Math.max(at, this.#lastEndedAt);
  }

  /** Answers of a pod that arrived from `from` to `to`. */
  answeredWithin(pod: string, from: number, to: number): number {
    return (this.#answeredAt.get(pod) ?? []).filter((at) => at >= from && at <= to).length;
  }

  /** Admissions that arrived from `from` to `to`, by pod. */
  admittedWithin(from: number, to: number): Map<string, number> {
    const counts = new Map([...this.#byPod.keys()].map((pod) => [pod, 0]));
    for (const { at, pod } of this.#admitted) {
      if (at >= from && at <= to) counts.set(pod, (counts.get(pod) ?? 0) + 1);
    }
    return counts;
  }

  /** Admissions so far, over all pods. */
  get admittedCount(): number {
    return this.#admitted.length;
  }

  /** When the (count + 1)-th admission arrived; undefined: there were fewer. */
  admittedAt(count: number): number | undefined {
    return this.#admitted[count]?.at;
  }

  /** When the last admission arrived; 0 before the first. */
  get lastAdmittedAt(): number {
    return this.#admitted.at(-1)?.at ?? 0;
  }

  get totals(): TrafficTotals {
    const all = [...this.byPod.values()];
    const of = (count: keyof PodTraffic): number => all.reduce((sum, counts) => sum + counts[count], 0);
    const [requests, answered, admitted, errors] = [of('sent'), of('answered'), of('admitted'), of('errors')];
    return {
      requests,
      admitted,
      rejected: answered - admitted - errors,
      errors,
      timeouts: of('timeouts'),
      open: requests - answered,
    };
  }

  #of(pod: string): Counts {
    const counts = this.#byPod.get(pod);
    if (!counts) throw new RangeError(`${pod} is not among the watched pods`);
    return counts;
  }
}
