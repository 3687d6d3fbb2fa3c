/** Digits that a whole room can read. Pure. */

/** Rows of a digit. */
export const BIG_ROWS = 5;

const DIGITS: readonly (readonly string[])[] = [
  ['█████', '█   █', '█   █', '█   █', '█████'],
  ['  █  ', ' ██  ', '  █  ', '  █  ', ' ███ '],
  ['█████', '    █', '█████', '█    ', '█████'],
  ['█████', '    █', ' ████', '    █', '█████'],
  ['█   █', '█   █', '█████', '    █', '    █'],
  ['█████', '█    ', '█████', '    █', '█████'],
  ['█████', '█    ', '█████', '█   █', '█████'],
  ['█████', '    █', '   █ ', '  █  ', '  █  '],
  ['█████', '█   █', '█████', '█   █', '█████'],
  ['█████', '█   █', '█████', '    █', '█████'],
];

/** A whole number, not negative, in {@link BIG_ROWS} rows. */
export function bigNumber(value: number): string[] {
  const written = String(Math.max(0, Math.trunc(value)));
  const digits = Array.from(written, (digit) => DIGITS[Number(digit)] ?? []);
  return Array.from({ length: BIG_ROWS }, (_, row) => digits.map((digit) => digit[row] ?? '').join('  '));
}

/** "S E T U P", where that fits; else as it is, in capitals. */
export function spaced(text: string, width: number): string {
  const capitals = text.toUpperCase();
  const wide = Array.from(capitals).join(' ');
  return wide.length <= width ? wide : capitals;
}
