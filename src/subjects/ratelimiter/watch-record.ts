/**
 * What both invariants need from a watch: that every node was really looked at,
 * and without a gap. Pure; times are parameters.
 */
import { type CounterSample, totalAdmitted } from './counter-sample.ts';

/**
 * Complete samples further apart than this are a gap. Samples are due every
 * 100 ms; a drift stays for as long as the fault does, at least a second, so
 * what comes and goes within this time is not a drift.
 */
export const MAX_GAP_MS = 1000;

/** When the fault was on, as far as it is known. Milliseconds since the epoch. */
export interface FaultSpan {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** Its planned end. */
  readonly until: number;
}

/** A sample in which every node and Redis answered for the window. */
export interface CompleteSample {
  readonly readAt: number;
  readonly endedAt: number;
  readonly admitted: ReadonlyMap<string, number>;
  readonly total: number;
  readonly stored: number;
}

export class WatchRecord {
  readonly #nodes: readonly string[];
  readonly #ends: number[] = [];
  #last: CompleteSample | undefined;
  #incomplete = 0;
  #lastProblem: string | undefined;
  #windowLeftAt: number | undefined;

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
  }

  /** The last complete sample. */
  get last(): CompleteSample | undefined {
    return this.#last;
  }

  /** End of the last complete sample; 0 before the first. */
  get watchedUntil(): number {
    return this.#last?.endedAt ?? 0;
  }

  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample): CompleteSample | undefined {
    if (sample.elsewhere.length > 0) this.#windowLeftAt ??= sample.readAt;
    if (sample.stored === undefined || this.#nodes.some((node) => !sample.admitted.has(node))) {
      this.#incomplete += 1;
      this.#lastProblem = sample.problems[0] ?? this.#lastProblem;
      return undefined;
    }
    const { readAt, endedAt, admitted, stored } = sample;
    this.#last = { readAt, endedAt, admitted, total: totalAdmitted(sample), stored };
    this.#ends.push(endedAt);
    return this.#last;
  }

  /** What is missing for a proof, `from` being the start of the fault. */
  shortfalls(from: number): string[] {
    const within = this.#ends.filter((end) => end >= from);
    const missing: string[] = [];
    if (within.length < 2)
      missing.push(`only ${within.length} complete counter samples since the fault began`);
    const gap = this.largestGap(from);
    if (gap > MAX_GAP_MS) {
      const why = this.#lastProblem === undefined ? '' : ` (${this.#lastProblem})`;
      missing.push(`no complete counter sample for ${Math.round(gap)} ms${why}`);
    }
    if (this.#windowLeftAt !== undefined)
      missing.push("the key's window ended, or a node lost the key, during the watch");
    return missing;
  }

  /** Longest time without a complete sample from `from` to the last one; milliseconds. */
  largestGap(from: number): number {
    let gap = 0;
    let previous = from;
    for (const end of this.#ends) {
      if (end < from) continue;
      gap = Math.max(gap, end - previous);
      previous = end;
    }
    return gap;
  }

  /** How thoroughly it was watched, in a sentence. */
  summary(from: number): string {
    const count = this.#ends.filter((end) => end >= from).length;
    const incomplete = this.#incomplete === 0 ? '' : `, ${this.#incomplete} incomplete`;
    return `${count} samples of ${this.#nodes.length} nodes and Redis since the fault began${incomplete}; longest gap ${Math.round(this.largestGap(from))} ms`;
  }
}

/** "node-1 10, node-2 10": counts by node. */
export function perNode(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([node, count]) => `${node} ${count}`).join(', ');
}
