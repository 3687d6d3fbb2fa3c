/** What was said of recordings, against what was wrong: a confusion matrix, and shares with their intervals. Pure. */

/** One recording, and what was said of it. */
export interface Judged {
  /** Classes of what was wrong; only `none` if nothing was. */
  readonly truths: readonly string[];
  /** The class that was said first. */
  readonly said: string;
}

/** A row for each class that was true, a column for each that was said; both in order of `classes`. */
export interface Confusion {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** `counts[row][column]` */
  readonly counts: readonly (readonly number[])[];
}

/** Where several things were wrong, and one of them was said, it counts for that one; otherwise for the first. */
export function confusionOf(judged: readonly Judged[], classes: readonly string[]): Confusion {
  const pairs = judged.map(({ said, truths }) => ({
    truth: truths.includes(said) ? said : (truths[0] ?? 'none'),
    said,
  }));
  const rows = classes.filter((name) => pairs.some(({ truth }) => truth === name));
  const columns = classes.filter((name) => rows.includes(name) || pairs.some(({ said }) => said === name));
  const counts = rows.map((row) =>
    columns.map((column) => pairs.filter(({ truth, said }) => truth === row && said === column).length),
  );
  return { rows, columns, counts };
}

/** A share of `of`, with the interval in which it lies with 95 % certainty. */
export interface Share {
  readonly right: number;
  readonly of: number;
  readonly low: number;
  readonly high: number;
}

/** The standard normal deviate of 95 %. */
const Z = 1.959964;

/**
 * The share with Wilson's interval, which holds for small numbers and shares near 0 and 1: E. B. Wilson, Probable
 * inference, the law of succession, and statistical inference, JASA 22 (1927). Nothing of nothing: from 0 to 1.
 */
export function shareOf(right: number, of: number): Share {
  if (of === 0) return { right, of, low: 0, high: 1 };
  const share = right / of;
  const middle = share + Z ** 2 / (2 * of);
  const spread = Z * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2));
  const scale = 1 + Z ** 2 / of;
  return {
    right,
    of,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
}

/** As `92 % (78 to 97)`. */
export function textOf({ high, low, of, right }: Share): string {
  if (of === 0) return 'none';
  const percent = (share: number): string => String(Math.round(100 * share));
  return `${percent(right / of)} % (${percent(low)} to ${percent(high)})`;
}

/** The matrix as lines of a table; what was right stands on the diagonal. */
export function linesOf({ columns, counts, rows }: Confusion): string[] {
  const width = Math.max(...rows.map((row) => row.length), 'was wrong'.length);
  const numbers = columns.map((_, index) => String(index + 1).padStart(4)).join('');
  return [
    `${'was wrong'.padEnd(width)}  said${numbers.slice(4)}`,
    ...rows.map((row, index) => {
      const cells = (counts[index] ?? []).map((count) => (count === 0 ? '.' : String(count)).padStart(4));
      return `${row.padEnd(width)}${cells.join('')}`;
    }),
    ...columns.map((column, index) => `${String(index + 1).padStart(width + 4)} ${column}`),
  ];
}
