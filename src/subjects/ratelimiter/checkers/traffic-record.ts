/**
 * What the sender of steady traffic knows: the requests to each pod, and when each was admitted. Nothing of the rate
 * limiter's counters. Pure.
 */
import type { CallerRequest } from '../history/events.ts';

/** Requests to one pod since the fault was proven. */
export interface PodTraffic {
  readonly sent: number;
  /** Admitted, rejected, or failed so that nobody was admitted. */
  readonly answered: number;
  readonly allowed: number;
  /** Answered with an error of the server: nobody was admitted, and nothing was decided; part of `answered`. */
  readonly refused: number;
  /** No answer came in time, or the connection broke. */
  readonly unanswered: number;
}

/** Over all pods. */
export interface TrafficTotals {
  readonly requests: number;
  readonly allowed: number;
  readonly denied: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Requests of which nobody knows whether they were admitted: not answered in time, or yet, or properly. */
  readonly open: number;
}

type Counts = { -readonly [K in keyof PodTraffic]: PodTraffic[K] };

export class TrafficRecord {
  readonly #byPod: Map<string, Counts>;
  readonly #answeredAt = new Map<string, number[]>();
  readonly #allowed: { readonly at: number; readonly node: string }[] = [];
  /** Requests that were on their way by the last sample and have not ended since, by pod. */
  #inFlight = new Map<string, number>();
  /** Every request that was sent until then and has not ended is among them. */
  #sampledAt = Number.NEGATIVE_INFINITY;
  #lastEndedAt = Number.NEGATIVE_INFINITY;

  constructor(pods: readonly string[]) {
    this.#byPod = new Map(
      pods.map((pod) => [pod, { sent: 0, answered: 0, allowed: 0, refused: 0, unanswered: 0 }]),
    );
  }

  get byNode(): ReadonlyMap<string, PodTraffic> {
    return new Map(
      [...this.#byPod].map(([pod, counts]) => [
        pod,
        { ...counts, sent: counts.sent + (this.#inFlight.get(pod) ?? 0) },
      ]),
    );
  }

  /** A request ended; they have to come in the order of their ends. One that never left is none. */
  request({ cause, endedAt, outcome, pod: node, sentAt }: CallerRequest): void {
    const counts = this.#of(node);
    this.#lastEndedAt = Math.max(this.#lastEndedAt, endedAt);
    const onTheirWay = this.#inFlight.get(node) ?? 0;
    // It was one of those on their way, and must not be counted twice.
    if (sentAt <= this.#sampledAt && onTheirWay > 0) this.#inFlight.set(node, onTheirWay - 1);
    if (cause === 'Unreachable') return;
    counts.sent += 1;
    if (outcome === 'Timeout' || cause === 'Reset') counts.unanswered += 1;
    // It says neither, so nobody knows whether its caller was admitted.
    else if (cause !== 'Answer') this.#answered(counts, node, outcome, endedAt);
  }

  #answered(counts: Counts, node: string, outcome: CallerRequest['outcome'], at: number): void {
    counts.answered += 1;
    const times = this.#answeredAt.get(node) ?? [];
    this.#answeredAt.set(node, times);
    times.push(at);
    if (outcome === 'Error') counts.refused += 1;
    if (outcome !== 'Admitted') return;
    counts.allowed += 1;
    this.#allowed.push({ at, node });
  }

  /** Requests that are on their way, by pod, at `at` or later. */
  inFlight(requests: Readonly<Record<string, number>>, at: number): void {
    this.#inFlight = new Map(Object.entries(requests));
    // What a sample shows may be older than the sample; what ended before it is not.
    this.#sampledAt = Math.max(at, this.#lastEndedAt);
  }

  /** Answers of a pod that arrived from `from` to `to`. */
  answeredWithin(node: string, from: number, to: number): number {
    return (this.#answeredAt.get(node) ?? []).filter((at) => at >= from && at <= to).length;
  }

  /** Admissions that arrived from `from` to `to`, by pod. */
  allowedWithin(from: number, to: number): Map<string, number> {
    const counts = new Map([...this.#byPod.keys()].map((node) => [node, 0]));
    for (const { at, node } of this.#allowed) {
      if (at >= from && at <= to) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return counts;
  }

  /** Admissions so far, over all pods. */
  get allowedCount(): number {
    return this.#allowed.length;
  }

  /** When the admission arrived before which there were `count` others; undefined: there were fewer. */
  allowedAt(count: number): number | undefined {
    return this.#allowed[count]?.at;
  }

  /** When the last admission arrived; 0 before the first. */
  get lastAllowedAt(): number {
    return this.#allowed.at(-1)?.at ?? 0;
  }

  get totals(): TrafficTotals {
    const all = [...this.byNode.values()];
    const of = (count: keyof PodTraffic): number => all.reduce((sum, counts) => sum + counts[count], 0);
    const [requests, answered, allowed, refused] = [of('sent'), of('answered'), of('allowed'), of('refused')];
    return {
      requests,
      allowed,
      denied: answered - allowed - refused,
      refused,
      unanswered: of('unanswered'),
      open: requests - answered,
    };
  }

  #of(node: string): Counts {
    const counts = this.#byPod.get(node);
    if (!counts) throw new RangeError(`${node} is not among the watched pods`);
    return counts;
  }
}
