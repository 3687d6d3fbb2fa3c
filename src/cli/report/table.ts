/** A table of a page. Pure. */
import { html, type Markup, type Part } from './text.ts';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Each begins with its name. */
  readonly rows: readonly (readonly Part[])[];
  readonly foot?: readonly Part[];
}

export function tableMarkup({ caption, foot, head, rows }: Table): Markup {
  return html`<div class="scroll"><table><caption>${caption}</caption>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(rowMarkup)}</tbody>${foot && html`\n<tfoot>${rowMarkup(foot)}</tfoot>`}</table></div>`;
}

function rowMarkup([name, ...values]: readonly Part[]): Markup {
  return html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`;
}
