/** Parts of a Markdown page. Pure. */

/** A row of a table. */
export function row(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** `name` as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** A link; brackets in its text stay text. */
export function link(text: string, url: string): string {
  return `[${text.replaceAll(/[[\]]/g, '\\$&')}](${url})`;
}

/** `18 ms`, `18 to 203 ms`, or nothing where there are none. */
export function range(numbers: readonly number[], unit: string): string {
  if (numbers.length === 0) return '';
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return `${least === most ? least : `${least} to ${most}`}${unit ? ` ${unit}` : ''}`;
}

/** `1 run`, `3 runs`. */
export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
