/** Escapes untrusted text for a page. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML 1.0 cannot hold in any form. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not be there
const NO_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text between tags or in a quoted attribute, of HTML and of XML alike. */
export function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(NO_XML, '\ufffd')
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
      // CI agents take ##[...] and ##vso[...] in a log for commands.
      .replace(/#(?=#)/g, '&#35;')
  );
}

/** Markup that is not escaped again. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | string | number | undefined | readonly Part[];

/** Markup with its values filled in; those that are not markup are {@link escaped}. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => `${i === 0 ? '' : partText(parts[i - 1])}${text}`).join(''));
}

function partText(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(partText).join('');
  return escaped(String(part));
}

/** "2026-11-26 03:35:57 UTC"; other text is returned unchanged. */
export function timeText(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return `${date.toISOString().slice(0, -5).replace('T', ' ')} UTC`;
}

/** The same on a page, with the exact time for programs and as a tooltip; nothing for ''. */
export function timeMarkup(time: string): Markup {
  if (Number.isNaN(Date.parse(time))) return html`${time}`;
  return html`<time datetime="${time}" title="${time}">${timeText(time)}</time>`;
}
