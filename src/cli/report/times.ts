/** Times as people read them: to the second, in UTC. Pure. */
import { html, type Markup } from './text.ts';

/** "2026-11-26 03:35:57 UTC"; what is no time stays as it is. */
export function timeText(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return `${date.toISOString().slice(0, -5).replace('T', ' ')} UTC`;
}

/** The same on a page, with the exact time for programs and for whoever points at it; nothing of ''. */
export function timeMarkup(time: string): Markup {
  if (Number.isNaN(Date.parse(time))) return html`${time}`;
  return html`<time datetime="${time}" title="${time}">${timeText(time)}</time>`;
}
