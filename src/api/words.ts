/** Measures by name, and figures for sentences. */
import type { Measure } from './status.ts';

/** The measures of every scenario type: two times, in milliseconds. */
export const DETECTED_AFTER = 'detectedAfter';
export const RECOVERED_AFTER = 'recoveredAfter';

/** The value of a measure; undefined: it was not measured. */
export function measured(measures: readonly Measure[] | undefined, name: string): number | undefined {
  return measures?.find((measure) => measure.name === name)?.value;
}

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "12 ms", "340 ms", "4.2 s": a time that was measured. Durations of a spec are written as there. */
export function span(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** "1 request", "2 requests", "1 ms": a value with its unit; `unit` is given in the plural. */
export function withUnit(value: number, unit: string): string {
  return `${value} ${value === 1 ? unit.replace(/(?<=..)s$/, '') : unit}`;
}

/** "notAdmitted": "not admitted": the name of a measure in words. */
export function nameInWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** "lost errors at least 30 requests, at most 8 allowed": a measure in words. @param when " then": the time of its value */
export function measureInWords({ atLeast, bound, name, unit, value }: Measure, when = ''): string {
  const most = bound === undefined ? '' : `, at most ${bound} allowed`;
  return `${nameInWords(name)} ${atLeast ? 'at least ' : ''}${withUnit(value, unit)}${when}${most}`;
}
