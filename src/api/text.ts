/** Makes text safe for a status and its readers: printable, one line, cut to the bounds of the schema. */

/** Bounds of the status, in characters or items. */
export const LIMITS = {
  message: 512,
  result: 64,
  summary: 128,
  request: 128,
  evidence: 256,
  evidenceItems: 12,
  measures: 14,
  chapters: 48,
  pods: 16,
  pastRun: 384,
  pastRuns: 20,
} as const;

/**
 * Invisible characters that affect a terminal, a log or a YAML reader: controls, marks that change the direction of
 * text, everything else without a shape. Emoji and some scripts need the two joiners.
 */
const UNPRINTABLE =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Noncharacter_Code_Point}\u{e0000}-\u{e0fff}]/gu;

/** Line breaks and tabs; a message is one line wherever it is shown. */
const BREAKS = /\r\n|[\r\n\t]/g;

/**
 * Text as one line of printable characters: spaces in place of line breaks and tabs, `\ufffd` in place of unprintable
 * characters, including half characters. Never longer than `text`. Idempotent.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(BREAKS, ' ').replace(UNPRINTABLE, '\ufffd');
}

/** A copy of a value with every text in it made {@link printable}. */
export function withPrintableTexts<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(withPrintableTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [printable(name), withPrintableTexts(member)]),
  ) as T;
}

/**
 * Text cut to a bound of the schema, with an ellipsis if it was cut. All external text in a status passes through here.
 */
export function truncate(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** The message of anything that was thrown. Unprocessed: not printable, and of any length. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
