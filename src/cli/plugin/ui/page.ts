/** The page of one ChaosDemo: the report of its last run, which a script keeps up to date. */
import { createHash } from 'node:crypto';
import { withPrintableTexts } from '../../../api/index.ts';
import { messageHtml, reportHtml } from '../../report/html.ts';
import { readEvidence } from '../../report/read.ts';
import { runReport } from '../../report/report.ts';
import { type Connection, pluginCommand } from '../connection.ts';
import { getDemo } from '../demos.ts';

/**
 * Loads the page every two seconds, and replaces the parts that have changed. A part stays while the reader has selected
 * or focused something in it.
 */
const SCRIPT = `
'use strict';
const state = document.getElementById('state'), announced = document.getElementById('announced');
const show = (text, kind) => { if (state.textContent !== text) { state.textContent = text; state.className = kind; } };
const isHeld = (part) => part.contains(document.activeElement)
  || (!getSelection().isCollapsed && part.contains(getSelection().anchorNode));
const put = (before, after) => {
  const opened = [...before.querySelectorAll('details')].map((details) => details.open);
  for (const [i, details] of [...after.querySelectorAll('details')].entries()) details.open = opened[i] ?? details.open;
  if (!before.isEqualNode(after)) before.replaceWith(after);
};
const update = async () => {
  const answer = await fetch(location.pathname, { redirect: 'error' });
  if (!answer.ok) throw new Error();
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const main = document.querySelector('main'), next = fresh.querySelector('main');
  const [parts, others] = [[...main.children], [...next.children]];
  const pairs = parts.length === others.length ? parts.map((part, i) => [part, others[i]]) : [[main, next]];
  const held = pairs.filter(([part, other]) => isHeld(part) && !part.isEqualNode(other));
  for (const [part, other] of pairs) if (!isHeld(part)) put(part, other);
  document.title = fresh.title;
  const now = fresh.getElementById('announced').textContent;
  if (announced.textContent !== now) announced.textContent = now;
  if (held.length === 0) show('live', 'state-live');
  else show('paused where something is selected; Escape continues', 'state-held');
};
const repeat = async () => {
  if (!document.hidden) await update().catch(() => show('Not live: the program that serves this page, or the API server, '
    + 'does not respond as it should. The page shows its last state.', 'state-lost'));
  setTimeout(repeat, 2000);
};
addEventListener('keydown', ({ key }) => {
  if (key !== 'Escape') return;
  getSelection().removeAllRanges();
  document.activeElement.blur();
});
repeat();
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

/** Reads with the rights of the user. @throws {PluginError} if there is no such object */
export async function runPage(connection: Connection, name: string, signal: AbortSignal): Promise<string> {
  const { client, kubectl, namespace } = connection;
  const demo = await getDemo(connection, name, signal);
  const { run } = demo.status ?? {};
  const live = { script: SCRIPT, now: Date.now() };
  const read = run && (await readEvidence(client, demo, run.number, signal));
  const report = runReport({ demo, ...read });
  if (report) return reportHtml(report, live);
  const { message = 'The operator has not checked it yet.' } = demo.status ?? {};
  const why = `To find out why: ${pluginCommand('doctor', { kubectl, name, namespace })}`;
  return messageHtml(`${namespace}/${name} has not run`, [withPrintableTexts(message), why], live);
}
