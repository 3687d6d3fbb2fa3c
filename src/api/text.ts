/** Text on its way into a status: cut to the bounds of the schema. */

/** Bounds of the status, in characters or items. */
export const LIMITS = {
  message: 512,
  request: 128,
  evidence: 256,
  evidenceItems: 12,
  measures: 8,
  nodes: 16,
  dependencies: 4,
  pods: 16,
  imageId: 256,
  history: 20,
} as const;

/**
 * Characters that a status cannot hold: it is applied as YAML, whose reader refuses some of them and takes
 * others for line ends, so that what is stored would differ from what was decided. None is worth reading.
 */
// oxlint-disable-next-line no-control-regex -- these are what it is about
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Text with `\ufffd` in place of what a status cannot hold, half characters included. */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, '\ufffd');
}

/** A copy of a value with every text in it made {@link printable}. */
export function withPrintableTexts<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(withPrintableTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withPrintableTexts(member)]),
  ) as T;
}

/**
 * Text cut to a bound of the schema, with an ellipsis where something is gone.
 * Everything that came from elsewhere goes through here on its way into a status.
 */
export function truncate(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
