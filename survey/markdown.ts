/** Parts of a Markdown page. Pure. */

/** A table. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => '---'), ...rows].map(row).join('\n');
}

function row(cells: readonly string[]): string {
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

/** `18`, `18 to 203`, or nothing for none; in a table `18–203`. */
export function range(numbers: readonly number[], to = ' to '): string {
  if (numbers.length === 0) return '';
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? `${least}` : `${least}${to}${most}`;
}

/** `1 run`, `3 runs`. */
export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
