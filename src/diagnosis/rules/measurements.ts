/**
 * Reads a bundle for the signs: samples of a signal, intervals in which they stay high, counts at a given time.
 * Components are distinguished only by role. Pure.
 */
import type { EvidenceBundle, Signal } from '../../evidence/index.ts';

/** Counts in flight arrive within this time. Milliseconds. */
export const ARRIVES_MS = 1000;

/** One point of a series, with the id that cites it. */
export interface Sample {
  readonly at: number;
  readonly value: number;
  readonly id: string;
}

/** An interval in which a condition held; milliseconds since the origin of the bundle. */
export interface Interval {
  readonly from: number;
  readonly to: number;
  readonly samples: readonly Sample[];
}

export class Measurements {
  readonly store: string;
  readonly replicas: readonly string[];
  /** The last known limit over all replicas. It may have been lower before: see `limitAt`. */
  readonly limit: Sample | undefined;
  readonly #limits: readonly Sample[];
  /** The usual lag of the store without a fault, in requests. */
  readonly lag: number;
  /** The time of the last observation. */
  readonly endMs: number;
  readonly invariant: EvidenceBundle['invariant'];
  readonly #samples = new Map<string, Sample[]>();

  constructor({ components, invariant, series }: EvidenceBundle) {
    for (const { component, id, points, signal } of series) {
      const key = `${signal} ${component}`;
      const samples = this.#samples.get(key) ?? [];
      samples.push(...points.map(([at, value]) => ({ at, value, id })));
      this.#samples.set(key, samples);
    }
    for (const samples of this.#samples.values()) samples.sort((a, b) => a.at - b.at);
    const named = (role: string): string[] => components.filter((c) => c.role === role).map((c) => c.name);
    this.store = named('store')[0] ?? '';
    this.replicas = named('replica');
    this.invariant = invariant;
    this.#limits = named('client').flatMap((client) => this.of('limit', client));
    this.limit = this.#limits.at(-1);
    this.lag = largest(this.of('count-lag', this.store))?.value ?? 0;
    this.endMs = series.reduce((end, { points }) => Math.max(end, points.at(-1)?.[0] ?? end), -Infinity);
  }

  /** The lowest known bound on what all replicas together may have admitted until `at`: it may grow. */
  limitAt(at: number): Sample | undefined {
    return this.#limits.find((sample) => sample.at >= at) ?? this.limit;
  }

  /** The samples of a signal at a component, sorted by time. */
  of(signal: Signal, component: string): readonly Sample[] {
    return this.#samples.get(`${signal} ${component}`) ?? [];
  }

  /** The samples of several signals at several components, sorted by time only within each of them. */
  all(signals: readonly Signal[], components: readonly string[]): Sample[] {
    return components.flatMap((component) => signals.flatMap((signal) => this.of(signal, component)));
  }

  /** The last sample at or before `at`; default: the last of all. */
  last(signal: Signal, component: string, at = Infinity): Sample | undefined {
    return this.of(signal, component).findLast((sample) => sample.at <= at);
  }

  /** The growth of running totals from `from` to `to`. A total without a sample yet was 0. */
  grown(signals: readonly Signal[], component: string, from: number, to = Infinity): number {
    const value = (signal: Signal, at: number): number => this.last(signal, component, at)?.value ?? 0;
    return signals.reduce((sum, signal) => sum + Math.max(0, value(signal, to) - value(signal, from)), 0);
  }

  /** What others were served by the store from `from` to `to`: reads and writes; none if one kind is missing. */
  servedWithin(from: number, to: number): readonly Sample[] {
    const served = (['read-latency', 'write-latency'] as const).map((signal) =>
      during(this.of(signal, this.store), from, to),
    );
    return served.every((samples) => samples.length > 0) ? served.flat() : [];
  }

  /** A running total of all replicas together at `at`, with the samples that show it. */
  total(signal: Signal, at = Infinity): { readonly value: number; readonly samples: Sample[] } {
    const samples = this.replicas.flatMap((replica) => this.last(signal, replica, at) ?? []);
    return { value: samples.reduce((sum, { value }) => sum + value, 0), samples };
  }

  /** A running total of all replicas, at each time at which one of them was probed. */
  running(signal: Signal): { readonly at: number; readonly value: number }[] {
    const times = this.all([signal], this.replicas).map(({ at }) => at);
    return times.sort((a, b) => a - b).map((at) => ({ at, value: this.total(signal, at).value }));
  }
}

/** Latencies of what was sent and answered from `from` to `to`. */
export function during(samples: readonly Sample[], from: number, to: number): Sample[] {
  return samples.filter(({ at, value }) => at - value >= from && at <= to);
}

/** The quantile of the samples for `share`; `NaN` for none. */
export function quantile(samples: readonly Sample[], share: number): number {
  const values = samples.map(({ value }) => value).sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
}

/** The sample with the largest value; the first of equals. */
export function largest<T extends { readonly value: number }>(samples: readonly T[]): T | undefined {
  return samples.reduce<T | undefined>((a, b) => (a && a.value >= b.value ? a : b), undefined);
}

/** The longest interval; the first of equals. */
export function longest<T extends Pick<Interval, 'from' | 'to'>>(intervals: readonly T[]): T | undefined {
  return largest(intervals.map((interval) => ({ interval, value: interval.to - interval.from })))?.interval;
}

/**
 * The longest interval in which samples were above `threshold`: from one such sample to another, at least `leastMs`
 * apart, with four or more in all, and this `share` of them above it. A mean or median would overestimate, since
 * thinned series keep their extremes; and if the prober is short of processor time, some probes are late and others are
 * not.
 */
export function sustainedAbove(
  samples: readonly Sample[],
  threshold: number,
  leastMs: number,
  share: number,
): Interval | undefined {
  let best: Interval | undefined;
  for (let i = 0; i < samples.length; i += 1) {
    const first = samples[i];
    if (!first || first.value <= threshold) continue;
    let above = 0;
    for (let j = i; j < samples.length; j += 1) {
      const last = samples[j];
      if (!last || last.value <= threshold) continue;
      above += 1;
      const length = last.at - first.at;
      const enough = j - i >= 3 && above >= share * (j - i + 1);
      if (enough && length >= leastMs && length > (best ? best.to - best.from : 0)) {
        best = { from: first.at, to: last.at, samples: samples.slice(i, j + 1) };
      }
    }
    // An interval that began within the best one would be shorter.
    if (best && first.at >= best.from && first.at <= best.to) i += best.samples.length - 1;
  }
  return best;
}
