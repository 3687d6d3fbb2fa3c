/**
 * Reads a bundle for the rules: samples of a signal, intervals in which they stay high, counts at a given time.
 * Components are distinguished only by role. Pure.
 */
import type { EvidenceBundle, Signal } from '../../evidence/index.ts';

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
  readonly store: string | undefined;
  readonly replicas: readonly string[];
  /** The last known limit over all replicas. It may have been lower before: see `limitAt`. */
  readonly limit: Sample | undefined;
  readonly #limits: readonly Sample[];
  /** The usual lag of the store without a fault, in requests. */
  readonly lag: number;
  readonly lagIds: readonly string[];
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
    this.store = named('store')[0];
    this.replicas = named('replica');
    this.invariant = invariant;
    this.#limits = named('client').flatMap((client) => this.of('limit', client));
    this.limit = this.#limits.at(-1);
    const lags = this.store === undefined ? [] : this.of('count-lag', this.store);
    this.lag = Math.max(0, ...lags.map(({ value }) => value));
    this.lagIds = idsOf(lags);
    this.endMs = series.reduce((end, { points }) => Math.max(end, points.at(-1)?.[0] ?? end), -Infinity);
  }

  /** The lowest known bound on what all replicas together may have admitted until `at`: it may grow. */
  limitAt(at: number): Sample | undefined {
    return this.#limits.find((sample) => sample.at >= at) ?? this.limit;
  }

  /** The samples of a signal at a component, sorted by time. */
  of(signal: Signal, component: string | undefined): readonly Sample[] {
    return this.#samples.get(`${signal} ${component}`) ?? [];
  }

  /** The last sample at or before `at`; default: the last of all. */
  last(signal: Signal, component: string | undefined, at = Infinity): Sample | undefined {
    return this.of(signal, component).findLast((sample) => sample.at <= at);
  }

  /** The growth of a running total from `from` to `to`. A total without a sample yet was 0. */
  grown(signal: Signal, component: string, from: number, to = Infinity): number {
    return (this.last(signal, component, to)?.value ?? 0) - (this.last(signal, component, from)?.value ?? 0);
  }

  /** What others were served by the store from `from` to `to`: reads and writes; undefined if one kind is missing. */
  servedWithin(from: number, to: number): readonly Sample[] | undefined {
    const served = (['read-latency', 'write-latency'] as const).map((signal) =>
      this.of(signal, this.store).filter(({ at, value }) => at - value >= from && at <= to),
    );
    return served.every((samples) => samples.length > 0) ? served.flat() : undefined;
  }

  /** A running total of all replicas together at `at`, with the samples that show it. */
  total(signal: Signal, at = Infinity): { readonly value: number; readonly ids: string[] } {
    const parts = this.replicas.flatMap((replica) => this.last(signal, replica, at) ?? []);
    return { value: parts.reduce((sum, { value }) => sum + value, 0), ids: idsOf(parts) };
  }

  /** A running total of all replicas, at each time at which one of them was probed. */
  running(signal: Signal): { readonly at: number; readonly value: number }[] {
    const last = new Map<string, number>();
    let value = 0;
    return this.replicas
      .flatMap((replica) => this.of(signal, replica).map((sample) => ({ replica, ...sample })))
      .sort((a, b) => a.at - b.at)
      .map((sample) => {
        value += sample.value - (last.get(sample.replica) ?? 0);
        last.set(sample.replica, sample.value);
        return { at: sample.at, value };
      });
  }
}

/** The ids of samples, without duplicates. */
export function idsOf(samples: readonly (Sample | undefined)[]): string[] {
  return [...new Set(samples.flatMap((sample) => sample?.id ?? []))];
}

/** The quantile of the samples for `share`; `NaN` for none. */
export function quantile(samples: readonly Sample[], share: number): number {
  const values = samples.map(({ value }) => value).sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
}

/** The sample with the largest value. */
export function largest(samples: readonly Sample[]): Sample | undefined {
  return samples.reduce<Sample | undefined>(
    (most, sample) => (most && most.value >= sample.value ? most : sample),
    undefined,
  );
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
