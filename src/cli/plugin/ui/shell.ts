/** The frame of every page, and the script that keeps it live. Pure. */
import { createHash } from 'node:crypto';
import { STYLE } from '../../report/page-style.ts';
import { html, type Markup, Markup as MarkupText } from '../../report/text.ts';

export interface Page {
  readonly title: string;
  readonly body: Markup;
  /** Additional style rules. */
  readonly style?: string;
  /** Announced by a screen reader when the page has changed: one sentence. */
  readonly now?: string;
  /** Whether the page updates while it is open. */
  readonly isLive?: boolean;
}

const OWN_STYLE = `
.top{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:baseline;justify-content:space-between;padding:10px max(20px,calc(50% - 410px));border-bottom:1px solid var(--edge);font-size:.88rem}
.top a{font-weight:600}
.top p{margin:0;color:var(--muted)}
.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:8px;background:var(--page);padding:4px 10px;z-index:1}
.state-lost{color:var(--bad)!important}
.state-live::before,.state-held::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--good);margin-right:7px}
.state-held::before{background:var(--none)}
.chip.on{color:var(--accent);background:var(--card);box-shadow:inset 0 0 0 1px var(--accent)}
.runs{list-style:none;padding:0}
.runs>li{padding:14px 0;border-bottom:1px solid var(--edge)}
.runs h2{border:0;margin:0 0 .2em;padding:0;font-size:1.08rem}
.runs p{margin:.15em 0}
.muted{color:var(--muted);font-size:.88rem}
.chapters{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(240px,100%),1fr));gap:2px 18px;font-size:.9rem}
.chapters li{color:var(--muted)}
.chapters .now{color:var(--text);font-weight:600}
.chapters i{font-style:normal;display:inline-block;width:1.4em}
header.tone-on{border-color:var(--accent)}
header.plain{border:0;padding:0}
#announced{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:640px){.top{padding:10px 14px}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;

/**
 * Reloads the page on a change notification. Unchanged parts stay; focus, scroll position and opened details are kept,
 * and nothing moves under a selection.
 */
const SCRIPT = `
'use strict';
const state = document.getElementById('state'), announced = document.getElementById('announced');
const show = (text, kind) => { if (state.textContent !== text) { state.textContent = text; state.className = kind; } };
const keyOf = (element) => element.tagName + (element.getAttribute('href') || '') + element.textContent.slice(0, 80);
const nameOf = (details) => ((details.closest('figure,section') || details).querySelector('figcaption,h2,h3') || details).textContent
  + details.querySelector('summary').textContent.replace(/[0-9]+/g, '');
const put = (before, after) => {
  const opened = new Map([...before.querySelectorAll('details')].map((details) => [nameOf(details), details.open]));
  for (const details of after.querySelectorAll('details')) details.open = opened.get(nameOf(details)) ?? details.open;
  if (before.isEqualNode(after)) return;
  const focused = before.contains(document.activeElement) && document.activeElement;
  const key = focused && keyOf(focused);
  before.replaceWith(after);
  if (!focused) return;
  const again = [...after.querySelectorAll('a,summary')].find((element) => keyOf(element) === key);
  if (again) again.focus({ preventScroll: true });
};
const isSelected = () => document.querySelector('main').contains(getSelection().anchorNode) && !getSelection().isCollapsed;
let busy = false, wanted = false;
const refresh = async () => {
  wanted = true;
  if (busy) return;
  busy = true;
  try {
    while (wanted) {
      wanted = false;
      if (isSelected()) {
        show('paused while text is selected; Escape continues', 'state-held');
        await new Promise((resolve) => document.addEventListener('selectionchange', resolve, { once: true }));
        wanted = true;
        continue;
      }
      const answer = await fetch(location.pathname, { redirect: 'error' });
      if (!answer.ok) throw new Error();
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (isSelected()) {
        wanted = true;
        continue;
      }
      const main = document.querySelector('main'), next = fresh.querySelector('main');
      const top = scrollY;
      if (main.children.length !== next.children.length) put(main, next);
      else for (const [i, after] of [...next.children].entries()) put(main.children[i], after);
      document.querySelector('style').textContent = fresh.querySelector('style').textContent;
      document.title = fresh.title;
      if (scrollY !== top) scrollTo({ top, behavior: 'instant' });
      const now = fresh.getElementById('announced').textContent;
      if (announced.textContent !== now) announced.textContent = now;
      show('live', 'state-live');
    }
  } catch {
    show('The page could not be updated. It shows its last state.', 'state-lost');
  } finally {
    busy = false;
  }
};
const events = new EventSource(location.pathname.replace(/\\/$/, '') + '/events');
events.addEventListener('open', () => { show('live', 'state-live'); refresh(); });
events.addEventListener('changed', () => refresh());
events.addEventListener('lost', () => show('Not live: the API server cannot be reached, or does not permit you to list and watch ChaosDemos. The page shows its last state.', 'state-lost'));
events.addEventListener('error', () => show(events.readyState === EventSource.CLOSED
  ? 'Not live: too many pages are open, or this one is of an earlier start. Load it again, or open the address that was printed.'
  : 'The program that serves this page has ended, or cannot be reached. The page shows its last state.', 'state-lost'));
addEventListener('keydown', ({ key }) => { if (key === 'Escape') getSelection().removeAllRanges(); });
addEventListener('pagehide', () => events.close());
`;

/** Content security policy: allows only the script above, and no external content. */
export const POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  "style-src 'unsafe-inline'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function pageHtml({ body, isLive = false, now = '', style = '', title }: Page): string {
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new MarkupText(`${STYLE}${OWN_STYLE}${style}`)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div class="top"><nav aria-label="Pages"><a href="/">All ChaosDemos</a></nav>
<p id="state" role="status">${isLive ? html`<noscript>not live without scripts</noscript>` : undefined}</p></div>
<p id="announced" role="status" aria-live="polite">${now}</p>
<main id="main" tabindex="-1">
${body}
</main>
${isLive ? new MarkupText(`<script>${SCRIPT}</script>`) : undefined}
</body>
</html>
`.text
  }`;
}
