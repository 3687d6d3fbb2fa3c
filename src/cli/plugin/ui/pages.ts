/** The pages of the ui: all ChaosDemos, and one run. Pure. */
import { type ChapterStatus, counted, type FaultStatus, withPrintableTexts } from '../../../api/index.ts';
import { numbered } from '../../../engine/chapter.ts';
import { podsReady } from '../../../engine/health.ts';
import { foot, notes, reportPart, scenarioSection } from '../../report/html.ts';
import { type ReportSource, type RunSoFar, reportOf, runSoFar } from '../../report/report.ts';
import { html, type Markup, type Part as Piece, timeMarkup, timeText } from '../../report/text.ts';
import { timeline } from '../../report/timeline.ts';
import { pluginCommand, pluginFlags } from '../connection.ts';
import { pageHtml } from './shell.ts';
import type { Overview, OverviewRow, Place } from './source.ts';

const NOTHING = html``;
const NO_NETWORK = 'It is served to this machine only.';

export function runPath({ name, namespace }: Place): string {
  return `/runs/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

/** All ChaosDemos, sorted by phase: what failed first. @param kubectl as in the commands that it prints, with flags */
export function overviewPage(overview: Overview, kubectl: string): string {
  const flags = pluginFlags(kubectl);
  const another = `kubectl chaosdemo ui -n NAMESPACE${flags}`;
  const { isCut, isOneOfAll, namespace, rows } = withPrintableTexts(overview);
  const missing = [
    ...(isOneOfAll ? [`You may not list the ChaosDemos of all namespaces. Name another: ${another}`] : []),
    ...(isCut ? [`There are more than these. Name a namespace: ${another}`] : []),
  ];
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  const sorted = rows.toSorted(
    (a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase) || byName.compare(runPath(a), runPath(b)),
  );
  const running = rows.filter(({ phase }) => phase === 'Running').length;
  const body = html`<header class="plain"><p class="kicker">${where}</p>
<h1>${rows.length === 0 ? 'No ChaosDemos' : `${rows.length}${isCut ? ' and more' : ''} ${rows.length === 1 ? 'ChaosDemo' : 'ChaosDemos'}, ${running} running`}</h1></header>
${rows.length === 0 ? html`<p>Apply one: <code>kubectl chaosdemo run -f manifests/samples/demo.yaml${flags}</code></p>` : html`<ul class="runs">${sorted.map(overviewItem)}</ul>`}
${notes(missing)}`;
  return pageHtml({
    title: `ChaosDemos in ${where}`,
    body,
    now: `${counted(running, 'run')} ${running === 1 ? 'is' : 'are'} active`,
    isLive: true,
  });
}

/** Phases in the sequence of the overview; '': no operator has seen it. */
const ORDER = ['Failed', 'Errored', 'Aborted', 'Running', 'Pending', '', 'Succeeded'];
const byName = new Intl.Collator('en', { numeric: true });

function overviewItem(row: OverviewRow): Markup {
  const { chapter, endedAt, message, name, namespace, phase, reason, result, run, verdicts } = row;
  const earlier = endedAt === '' || phase === 'Pending' ? verdicts : verdicts.slice(1);
  const facts = [
    run === 0 ? 'has not run' : `run ${run}`,
    chapter === '' || phase !== 'Running' ? '' : `chapter ${chapter}`,
    result,
    endedAt === '' ? '' : `ended ${timeText(endedAt)}`,
    earlier.length === 0 ? '' : `earlier verdicts: ${earlier.join(', ')}`,
  ].filter((fact) => fact !== '');
  return html`
<li><h2><a href="${runPath(row)}">${namespace}/${name}</a> ${phaseChip(phase, reason)}</h2>
<p>${facts.join(' · ')}</p>${message === '' ? NOTHING : html`<p class="muted">${message}</p>`}</li>`;
}

/** Succeeded means that the gate passed, not that the subject is healthy: the report shows that. */
const CHIPS: Readonly<Record<string, string>> = { Running: 'on', Succeeded: 'gate', Failed: 'bad' };

function phaseChip(phase: string, reason = ''): Markup {
  const known = phase === '' ? 'Pending' : phase;
  const more = reason === '' || reason === known || known === 'Running' ? '' : ` (${reason})`;
  return html`<span class="chip ${CHIPS[known] ?? 'none'}">${known}${more}</span>`;
}

export interface RunPageInput {
  readonly source: ReportSource;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** As in the commands that it prints, with the flags for this cluster. */
  readonly kubectl: string;
}

/** One ChaosDemo: the report of its last run, or what is known of the active run. */
export function runPage({ kubectl, now, source }: RunPageInput): string {
  const demo = withPrintableTexts(source.demo);
  const { metadata, status = {} } = demo;
  const report = reportOf(source);
  const so = runSoFar(source);
  const phase = status.phase ?? 'Pending';
  const part = report ? reportPart(report) : so ? soFarPart(so, status, now) : waitingPart(demo, kubectl);
  const isWaiting = report !== undefined && phase === 'Pending';
  const body = html`${isWaiting ? notes([`Another run is to begin: ${status.message ?? 'no reason is known'}`, `Below is run ${report.run}.`]) : NOTHING}
${part}
${so ? foot(report ?? {}, NO_NETWORK) : NOTHING}`;
  const title = `${phase}: ${so ? `run ${so.run} of ` : ''}${metadata.namespace}/${metadata.name}`;
  const headline =
    report && !isWaiting ? report.headline : `${phase}: ${status.chapter ?? status.message ?? ''}`;
  return pageHtml({ title, body, now: headline, isLive: true });
}

const CHAPTER_MARKS: Readonly<Record<ChapterStatus['state'], string>> = {
  Pending: '·',
  Running: '▶',
  Waiting: '‖',
  Completed: '✓',
  Stopped: '✗',
};

function soFarPart(so: RunSoFar, status: NonNullable<ReportSource['demo']['status']>, now: number): Markup {
  const isWhole = so.evidence?.complete === true && so.evidence.leftOut === '';
  const { run } = status;
  const facts: [string, Piece][] = [
    ['Started', timeMarkup(so.startedAt)],
    ['Result so far', status.result ?? ''],
    ['Pods ready', (run && podsReady(run)) ?? ''],
    ...(run?.dependencies ?? []).map((one): [string, Piece] => [
      one.name,
      one.connected ? 'connected' : 'not connected',
    ]),
    ...so.scenarios.map(({ status: { fault, name } }): [string, Piece] => [
      `Fault of ${name}`,
      faultText(fault),
    ]),
    ['Run ID', so.runId],
  ];
  return html`<header class="tone-on"><p class="kicker">Run ${so.run} of ${so.namespace}/${so.name} ${phaseChip(status.phase ?? '')}</p>
<h1>${status.chapter ?? 'The run is about to begin'}</h1>
<p>${status.message ?? NOTHING}</p>
<dl class="facts">${facts.flatMap(([term, text]) => (text === '' ? [] : [html`<div><dt>${term}</dt><dd>${text}</dd></div>`]))}</dl></header>
${notes(so.missing)}
<section aria-labelledby="chapters"><h2 id="chapters">Chapters</h2>
<ol class="chapters">${numbered(so.chapters).map(chapterItem)}</ol></section>
${timeline({ ...so, completedAt: new Date(now).toISOString() })}
${so.scenarios.map((scenario) => scenarioSection(scenario, { isOn: true, isWhole }))}`;
}

/** Of a fault that is to come or active; '' for others. */
function faultText(fault: FaultStatus | undefined): Piece {
  if (!fault || fault.endedAt !== undefined) return '';
  return fault.startedAt === undefined
    ? html`planned for ${timeMarkup(fault.plannedAt)}`
    : html`active, ends by ${timeMarkup(fault.until)}`;
}

function chapterItem({ number, state, title }: ReturnType<typeof numbered>[number]): Markup {
  const isNow = state === 'Running' || state === 'Waiting';
  return isNow
    ? html`<li class="now" aria-current="step"><i aria-hidden="true">${CHAPTER_MARKS[state]}</i>${number} ${title}<span class="skip">, ${state.toLowerCase()}</span></li>`
    : html`<li><i aria-hidden="true">${CHAPTER_MARKS[state]}</i>${number} ${title}<span class="skip">, ${state.toLowerCase()}</span></li>`;
}

function waitingPart({ metadata, status }: ReportSource['demo'], kubectl: string): Markup {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const message = status?.message ?? ready?.message ?? 'The operator has not checked it yet.';
  const { name, namespace } = metadata;
  return html`<header><p class="kicker">${namespace}/${name} ${phaseChip(status?.phase ?? '', ready?.reason)}</p>
<h1>It has not run</h1><p>${message}</p>
<p>The problem, and how to fix it: <code>${pluginCommand('doctor', { kubectl, name, namespace })}</code></p></header>`;
}

/** A page that explains why there is none. */
export function problemPage(why: string): string {
  const body = html`<header class="plain"><h1>${why}</h1></header>`;
  return pageHtml({ title: 'kubectl chaosdemo ui', body });
}
