/** What a benchmark is, and what it has to say in the end. */
import type { Testbed } from './testbed.ts';

/** One figure. The table shows the ratio of `value` to its baseline. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** What it is compared with: measured in the same run and in the same unit, or a setting. */
  readonly baseline?: { readonly what: string; readonly value: number };
  /** How many samples the figure is made of, and what else one has to know to judge it. */
  readonly note?: string;
}

type Unit = 'ms' | 's' | 'MiB' | 'KiB' | '% of a core' | '/s' | '';

/** What a benchmark gets. */
interface BenchmarkContext {
  /** The environment with the operator; started at first use. */
  readonly testbed: () => Promise<Testbed>;
  /** A line about what is going on. */
  readonly say: (line: string) => void;
  /** Aborts on Ctrl-C, and when a part of the environment breaks. */
  readonly signal: AbortSignal;
}

export interface Benchmark {
  /** For `--only`. */
  readonly name: string;
  /** Whether it takes more than a quarter of an hour, so that only `--only` runs it. */
  readonly isLong?: boolean;
  /** What it measures, for `--help`. */
  readonly what: string;
  /** @throws when something does not work; never because something is slow */
  readonly run: (context: BenchmarkContext) => Promise<Row[]>;
}
