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
  history: 20,
} as const;

/**
 * Text cut to a bound of the schema, with an ellipsis where something is gone.
 * Everything that came from elsewhere goes through here on its way into a status.
 */
export function truncate(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
