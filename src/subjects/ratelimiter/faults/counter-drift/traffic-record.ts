/**
 * What the sender of the steady traffic knows by itself: what it sent to each node
 * and what came back when. No word of the rate limiter's counters. Pure.
 */

/** What the steady traffic has counted since the fault was proven, for each node. */
export interface NodeTraffic {
  sent: number;
  /** Answered for the key's window. */
  answered: number;
  allowed: number;
  /** Answered with an error, so that nobody was let through and nothing was decided; part of `answered`. */
  refused: number;
  /** Sent, and no answer came in time. */
  unanswered: number;
}

/** Over all nodes. */
export interface TrafficTotals {
  readonly requests: number;
  readonly allowed: number;
  readonly denied: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Requests of which nobody knows whether they were admitted: not answered in time, or yet, or properly. */
  readonly open: number;
}

export class TrafficRecord {
  readonly #byNode: Map<string, NodeTraffic>;
  readonly #answeredAt = new Map<string, number[]>();
  readonly #allowed: { readonly at: number; readonly node: string }[] = [];

  constructor(nodes: readonly string[]) {
    this.#byNode = new Map(
      nodes.map((node) => [node, { sent: 0, answered: 0, allowed: 0, refused: 0, unanswered: 0 }]),
    );
  }

  get byNode(): ReadonlyMap<string, NodeTraffic> {
    return this.#byNode;
  }

  /** A request goes to the node; what is returned takes that back. */
  sent(node: string): () => void {
    const traffic = this.#of(node);
    traffic.sent += 1;
    return () => {
      traffic.sent -= 1;
    };
  }

  /** An answer of the key's window arrived at `at`; answers have to come in the order of their times. */
  answered(node: string, allowed: boolean, at: number): void {
    const traffic = this.#of(node);
    traffic.answered += 1;
    const times = this.#answeredAt.get(node) ?? [];
    this.#answeredAt.set(node, times);
    times.push(at);
    if (!allowed) return;
    traffic.allowed += 1;
    this.#allowed.push({ at, node });
  }

  /** The answer that is taken in with this was an error. */
  refused(node: string): void {
    this.#of(node).refused += 1;
  }

  unanswered(node: string): void {
    this.#of(node).unanswered += 1;
  }

  /** Answers of a node that arrived from `from` to `to`. */
  answeredWithin(node: string, from: number, to: number): number {
    return (this.#answeredAt.get(node) ?? []).filter((at) => at >= from && at <= to).length;
  }

  /** Yeses that arrived from `from` to `to`, by node. */
  allowedWithin(from: number, to: number): Map<string, number> {
    const counts = new Map([...this.#byNode.keys()].map((node) => [node, 0]));
    for (const { at, node } of this.#allowed) {
      if (at >= from && at <= to) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return counts;
  }

  /** Yeses so far, over all nodes. */
  get allowedCount(): number {
    return this.#allowed.length;
  }

  /** When the yes arrived before which there were `count` others; undefined where there were fewer. */
  allowedAt(count: number): number | undefined {
    return this.#allowed[count]?.at;
  }

  /** When the last yes arrived; 0 before the first. */
  get lastAllowedAt(): number {
    return this.#allowed.at(-1)?.at ?? 0;
  }

  get totals(): TrafficTotals {
    const of = (count: keyof NodeTraffic): number =>
      [...this.#byNode.values()].reduce((sum, counts) => sum + counts[count], 0);
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

  #of(node: string): NodeTraffic {
    const traffic = this.#byNode.get(node);
    if (!traffic) throw new RangeError(`${node} is not among the watched nodes`);
    return traffic;
  }
}
