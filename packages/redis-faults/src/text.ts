/** Parts of messages. Pure. */

/** Names in a message. */
const MOST_NAMED = 3;

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "a", "a and b", "a, b and 3 more": names in the length of a message. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED);
  if (names.length > MOST_NAMED) return `${shown.join(', ')} and ${names.length - MOST_NAMED} more`;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** An error and what to do about it, as one clause. */
export function withAdvice(text: string, advice: string | undefined): string {
  return advice === undefined ? text : `${text.replace(/\.$/, '')}; ${advice}`;
}

/** The text, cut to so many characters, with an ellipsis if it was cut. */
export function truncate(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
