/** Measures by name, and figures for sentences. */
import type { Measures } from './status.ts';
import type { MeasureApi } from './subject-api.ts';

/** The measures of every scenario type: two times, in milliseconds. */
export const DETECTED_AFTER = 'detectedAfter';
export const RECOVERED_AFTER = 'recoveredAfter';

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "12 ms", "340 ms", "4.2 s": a time that was measured. Durations of a spec are written as there. */
export function span(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** "1 request", "2 requests", "1 ms": a value with its unit; `unit` is given in the plural, or ''. */
export function withUnit(value: number, unit: string): string {
  return `${value} ${value === 1 ? unit.replace(/(?<=..)s$/, '') : unit}`.trimEnd();
}

type Unit = Pick<MeasureApi, 'name' | 'unit'>;

/** The unit of a measure, in the plural; '' if it is none of these. */
export function unitOf(name: string | undefined, known: readonly Unit[]): string {
  return known.find((measure) => measure.name === name)?.unit ?? '';
}

/** "notAdmitted": "not admitted": the name of a measure in words. */
export function nameInWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** "lost errors at least 30 requests, at most 8 allowed": a measure in words. @param when " then": the time of its value */
export function measureInWords(name: string, figures: Measures, unit: string, when = ''): string {
  const bound = figures.bounds?.[name];
  const most = bound === undefined ? '' : `, at most ${bound} allowed`;
  return `${nameInWords(name)} ${valueInWords(name, figures, unit)}${when}${most}`;
}

/** "at least 30 requests". */
export function valueInWords(name: string, { atLeast, measures }: Measures, unit: string): string {
  return `${atLeast?.includes(name) ? 'at least ' : ''}${withUnit(measures?.[name] ?? 0, unit)}`;
}
