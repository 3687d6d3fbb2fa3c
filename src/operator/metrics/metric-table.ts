/**
 * Metrics whose labels take values of closed sets only. Every series starts at 0, so that a rate over it is right from
 * the start; other label values are not counted, so a forged status or a foreign answer creates no series.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The values that each label may have. */
type Labels = Readonly<Record<string, readonly string[]>>;

/** One value for each label. */
type Values<L extends Labels> = { readonly [Name in keyof L]: string | undefined };

/** Registers metrics in one registry. */
export class MetricTable {
  readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** Returns a function that adds to the series of these values: 1 by default. */
  counter<const L extends Labels>(name: string, help: string, labels: L) {
    const metric = new Counter({ name, help, labelNames: Object.keys(labels), registers: [this.registry] });
    for (const values of everyCombination(labels)) metric.inc(values, 0);
    return (values: Values<L>, by = 1): void => {
      if (areKnown(values, labels)) metric.inc(values, by);
    };
  }

  /** Returns a function that observes a value in the series of these values. */
  histogram<const L extends Labels>(name: string, help: string, buckets: readonly number[], labels: L) {
    const metric = new Histogram({
      name,
      help,
      buckets: [...buckets],
      labelNames: Object.keys(labels),
      registers: [this.registry],
    });
    for (const values of everyCombination(labels)) metric.zero(values);
    return (values: Values<L>, value: number): void => {
      if (areKnown(values, labels)) metric.observe(values, value);
    };
  }

  /** Reads the value whenever the metrics are collected. */
  gauge(name: string, help: string, read: () => number, labels: Readonly<Record<string, string>> = {}): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: Object.keys(labels),
      registers: [this.registry],
      collect: () => gauge.set(labels, read()),
    });
  }
}

function everyCombination(labels: Labels): Record<string, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    all = all.flatMap((one) => values.map((value) => Object.assign({}, one, { [name]: value })));
  }
  return all;
}

function areKnown(
  values: Readonly<Record<string, string | undefined>>,
  labels: Labels,
): values is Readonly<Record<string, string>> {
  return Object.entries(labels).every(([name, known]) => known.some((value) => value === values[name]));
}
