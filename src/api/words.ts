/** Figures as sentences need them. */

/** "1 key", "2 keys". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "1 request", "2 requests", "1 ms": a value with its unit, which is written for more than one. */
export function withUnit(value: number, unit: string): string {
  return `${value} ${value === 1 ? unit.replace(/(?<=..)s$/, '') : unit}`;
}
