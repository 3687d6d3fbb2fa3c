/** Durations as Kubernetes writes them, such as `10s`, `1m30s`, `1.5m` and `250ms`: the positive ones of Go. */

/** CEL's `duration()` also accepts signs and microseconds; `[.]`, since CEL needs no escape for it. */
export const DURATION_PATTERN = /^([0-9]{1,5}([.][0-9]{1,3})?(h|m|s|ms)){1,4}$/;

const MILLISECONDS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/**
 * Milliseconds of a duration string, rounded to an integer.
 * @throws RangeError if the text is not a duration
 * @example parseDuration('1m30s') // 90000
 */
export function parseDuration(text: string): number {
  if (!DURATION_PATTERN.test(text)) {
    throw new RangeError(`"${text}" is not a duration: write numbers with h, m, s or ms, as in 10s or 1m30s`);
  }
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9.]+)(h|ms|m|s)/g)) {
    total += Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  return Math.round(total);
}

/**
 * The shortest usual way to write a number of milliseconds (rounded to an integer).
 * @throws RangeError below zero, or from 99999h on, which the form cannot hold.
 * @example formatDuration(90_000) // '1m30s'
 */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (!(rest >= 0) || rest >= 100_000 * MILLISECONDS.h) {
    throw new RangeError(`${milliseconds} ms cannot be written as a duration`);
  }
  let text = '';
  for (const [unit, size] of Object.entries(MILLISECONDS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
