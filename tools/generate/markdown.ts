/** The Markdown elements of the generated reference. */

/** A table; cells are Markdown, with bars and line breaks escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A table with columns of one width, as in pages that are formatted. */
export function alignedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width, fill)).join(' | ')} |`;
  return [line(head), line([], '-'), ...rows.map((row) => line(row))].join('\n');
}

/** A list of names and their meanings. A line break in a meaning becomes a space. */
export function definitions(items: readonly (readonly [name: string, meaning: string])[]): string {
  return items.map(([name, meaning]) => `- ${name}:\n  ${meaning.replace(/\s*\n\s*/g, ' ')}`).join('\n');
}

/** Any text as code; empty text stays empty. */
export function code(text: string): string {
  if (text === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ');
}
