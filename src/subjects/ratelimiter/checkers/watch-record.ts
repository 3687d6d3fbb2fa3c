/**
 * What both invariants need from a watch: that every pod was really sampled, without a gap. Pure; times are parameters.
 */

import { counted } from '../../../api/index.ts';
import { type CounterSample, totalAdmitted } from '../history/counter-sample.ts';
import type { FaultTimes } from '../history/fault-times.ts';

/** Complete samples further apart than this are a gap, whatever the length of the fault. They are due every 100 ms. */
const MAX_GAP_MS = 1000;

/**
 * The largest gap for an effect that lasts only as long as the fault: a quarter of it, so that even a short fault does
 * not fit into a gap.
 */
export function toleratedGap(faultMs: number): number {
  return Math.min(MAX_GAP_MS, faultMs / 4);
}

/** What a proof needs of a watch. Milliseconds since the epoch. */
export interface Watched {
  /** Start of the fault. */
  readonly from: number;
  /** If two complete samples have to be within the fault: its end. */
  readonly to?: number | undefined;
  /** End of the watch; later times are not a gap. */
  readonly watchTo?: number | undefined;
  readonly maxGapMs?: number;
}

/** When a fault was active, and how long it is watched. */
export interface FaultSpan extends FaultTimes {
  /** The end of the watch: the end of the fault, and the time to settle. */
  readonly watchTo?: number;
}

/** Until when the fault is known to be active, or to have been; later observations are not of the fault. */
export function onUntil({ endedAt = Infinity, doubtfulFrom = Infinity }: FaultSpan): number {
  return Math.min(endedAt, doubtfulFrom);
}

/** "86 ms after the end of the fault": a moment at which the fault was not known to be active. */
export function whenOutside(at: number, { startedAt, ...end }: FaultSpan): string {
  if (startedAt === undefined) return 'before the fault was seen to begin';
  if (at < startedAt) return `${Math.round(startedAt - at)} ms before the fault`;
  return `${Math.max(0, Math.round(at - onUntil({ ...end })))} ms after the end of the fault`;
}

/** A sample in which every pod and Redis answered for the window. */
export interface CompleteSample {
  readonly readAt: number;
  readonly endedAt: number;
  readonly admitted: ReadonlyMap<string, number>;
  readonly total: number;
  readonly stored: number;
}

export class WatchRecord {
  readonly #pods: readonly string[];
  readonly #looked: string;
  readonly #samples: Pick<CounterSample, 'readAt' | 'endedAt'>[] = [];
  readonly #most = new Map<string, number>();
  #last: CompleteSample | undefined;
  #watchedUntil = 0;
  #incomplete = 0;
  #lastProblem: string | undefined;
  #windowLeftAt: number | undefined;

  /** @param looked what was sampled, in words; default: the pods and Redis */
  constructor(pods: readonly string[], looked = `${counted(pods.length, 'pod')} and Redis`) {
    this.#pods = pods;
    this.#looked = looked;
  }

  /** The last complete sample. */
  get last(): CompleteSample | undefined {
    return this.#last;
  }

  /** The most that each pod ever reported as admitted, in complete samples. */
  get most(): ReadonlyMap<string, number> {
    return this.#most;
  }

  /** End of the last complete sample; 0 before the first. */
  get watchedUntil(): number {
    return this.#watchedUntil;
  }

  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample): CompleteSample | undefined {
    if (sample.elsewhere.length > 0) this.#windowLeftAt ??= sample.readAt;
    if (sample.stored === undefined || this.#pods.some((pod) => !sample.admitted.has(pod))) {
      this.#incomplete += 1;
      this.#lastProblem = sample.problems[0] ?? this.#lastProblem;
      return undefined;
    }
    const { readAt, endedAt, admitted, stored } = sample;
    const total = totalAdmitted(sample);
    this.#last = {
      readAt,
      endedAt,
      admitted,
      total,
      stored,
    };
    this.#watchedUntil = endedAt;
    this.#samples.push({ readAt, endedAt });
    for (const [pod, count] of admitted) this.#most.set(pod, Math.max(count, this.#most.get(pod) ?? 0));
    return this.#last;
  }

  /** What is missing for a proof. */
  shortfalls({ from, to, watchTo, maxGapMs = MAX_GAP_MS }: Watched): string[] {
    const within = this.#samples.filter(
      ({ readAt, endedAt }) => readAt >= from && endedAt <= (to ?? Infinity),
    ).length;
    const missing: string[] = [];
    if (within < 2) {
      const when = to === undefined ? 'since the fault began' : 'within the fault';
      missing.push(`only ${counted(within, 'complete counter sample')} ${when}`);
    }
    const gap = this.largestGap(from, watchTo);
    if (gap > maxGapMs) {
      const why = this.#lastProblem === undefined ? '' : ` (${this.#lastProblem})`;
      missing.push(`no complete counter sample for ${Math.round(gap)} ms${why}`);
    }
    if (this.#windowLeftAt !== undefined)
      missing.push("the key's window ended, or a pod lost the key, during the watch");
    return missing;
  }

  /** Longest time without a complete sample from `from` to the last one, or to `to`; milliseconds. */
  largestGap(from: number, to = Number.POSITIVE_INFINITY): number {
    let gap = 0;
    let previous = from;
    for (const { endedAt } of this.#samples) {
      if (endedAt < from) continue;
      gap = Math.max(gap, Math.min(endedAt, to) - previous);
      previous = endedAt;
    }
    return gap;
  }

  /** How complete the watch was, in a sentence. */
  summary({ startedAt: from = 0, watchTo }: FaultSpan): string {
    const count = this.#samples.filter(({ endedAt }) => endedAt >= from).length;
    const incomplete = this.#incomplete === 0 ? '' : `, ${this.#incomplete} incomplete`;
    return `${counted(count, 'sample')} of ${this.#looked} since the fault began${incomplete}; longest gap ${Math.round(this.largestGap(from, watchTo))} ms`;
  }
}
