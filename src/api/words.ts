/** Figures as sentences need them. */

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
