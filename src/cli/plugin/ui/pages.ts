/** The pages of the ui: all ChaosDemos, one run, and two runs side by side. Pure. */
import { type ChapterStatus, counted, type FaultStatus, withPrintableTexts } from '../../../api/index.ts';
import { numbered } from '../../../demo/chapter.ts';
import { podsReady } from '../../../demo/health.ts';
import type { RunEvidence, ScenarioEvidence } from '../../../evidence/index.ts';
import { answersOf, callers } from '../../report/callers.ts';
import { foot, notes, type Part, plotFigure, reportPart, scenarioSection } from '../../report/html.ts';
import { plotsOf } from '../../report/plots.ts';
import { type ReportSource, type RunSoFar, reportOf, runSoFar, words } from '../../report/report.ts';
import { html, type Markup, type Part as Piece, timeMarkup, timeText } from '../../report/text.ts';
import { timeline } from '../../report/timeline.ts';
import { pluginCommand, pluginFlags } from '../connection.ts';
import { pageHtml } from './shell.ts';
import type { FoundEvidence, Overview, OverviewRow, Place } from './source.ts';

const NOTHING = html``;
/** Width in pixels of drawings side by side: their text has the size of the surrounding text. */
const HALF = 560;
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
  /** Runs with evidence, the last first; undefined: not allowed to list them. */
  readonly runs: readonly number[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** As in the commands that it prints, with the flags for this cluster. */
  readonly kubectl: string;
}

/** One ChaosDemo: the report of its last run, or what is known of the active run. */
export function runPage({ kubectl, now, runs, source }: RunPageInput): string {
  const demo = withPrintableTexts(source.demo);
  const { metadata, status = {} } = demo;
  const report = reportOf(source);
  const so = runSoFar(source);
  const phase = status.phase ?? 'Pending';
  const part = report ? reportPart(report) : so ? soFarPart(so, status, now) : waitingPart(demo, kubectl);
  const others = runs?.filter((number) => number !== so?.run);
  const isWaiting = report !== undefined && phase === 'Pending';
  const body = html`${isWaiting ? notes([`Another run is to begin: ${status.message ?? 'no reason is known'}`, `Below is run ${report.run}.`]) : NOTHING}
${part.markup}
${so ? earlier(metadata, so.run, others) : NOTHING}
${so ? foot(report ?? {}, NO_NETWORK) : NOTHING}`;
  const title = `${phase}: ${so ? `run ${so.run} of ` : ''}${metadata.namespace}/${metadata.name}`;
  const headline =
    report && !isWaiting ? report.headline : `${phase}: ${status.chapter ?? status.message ?? ''}`;
  return pageHtml({ title, body, style: part.style, now: headline, isLive: true });
}

const CHAPTER_MARKS: Readonly<Record<ChapterStatus['state'], string>> = {
  Pending: '·',
  Running: '▶',
  Waiting: '‖',
  Completed: '✓',
  Skipped: '–',
  Stopped: '✗',
};

function soFarPart(so: RunSoFar, status: NonNullable<ReportSource['demo']['status']>, now: number): Part {
  const isWhole = so.evidence?.complete === true && so.evidence.leftOut === '';
  const sections = so.scenarios.map((scenario) => scenarioSection(scenario, { isOn: true, isWhole }));
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
  const markup = html`<header class="tone-on"><p class="kicker">Run ${so.run} of ${so.namespace}/${so.name} ${phaseChip(status.phase ?? '')}</p>
<h1>${status.chapter ?? 'The run is about to begin'}</h1>
<p>${status.message ?? NOTHING}</p>
<dl class="facts">${facts.flatMap(([term, text]) => (text === '' ? [] : [html`<div><dt>${term}</dt><dd>${text}</dd></div>`]))}</dl></header>
${notes(so.missing)}
<section aria-labelledby="chapters"><h2 id="chapters">Chapters</h2>
<ol class="chapters">${numbered(so.chapters).map(chapterItem)}</ol></section>
${timeline({ ...so, completedAt: new Date(now).toISOString() })}
${sections.map((section) => section.markup)}`;
  return { markup, style: sections.map(({ style }) => style).join('') };
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

function waitingPart({ metadata, status }: ReportSource['demo'], kubectl: string): Part {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const message = status?.message ?? ready?.message ?? 'The operator has not checked it yet.';
  const { name, namespace } = metadata;
  const markup = html`<header><p class="kicker">${namespace}/${name} ${phaseChip(status?.phase ?? '', ready?.reason)}</p>
<h1>It has not run</h1><p>${message}</p>
<p>The problem, and how to fix it: <code>${pluginCommand('doctor', { kubectl, name, namespace })}</code></p></header>`;
  return { markup, style: '' };
}

/** @param others undefined: not allowed to list them */
function earlier(place: Place, run: number, others: readonly number[] | undefined): Markup {
  if (!others) {
    return notes([
      `Earlier runs are not shown: you may not list ConfigMaps in namespace ${place.namespace}.`,
    ]);
  }
  if (others.length === 0) return NOTHING;
  return html`<nav aria-labelledby="earlier"><h2 id="earlier">Compare with an earlier run</h2>
<ul>${others.map((number) => html`<li><a href="${runPath(place)}/${number}/${run}">run ${number} and run ${run}</a></li>`)}</ul></nav>`;
}

/** Two runs, each with its evidence. */
export function pairPage(place: Place, pair: readonly (FoundEvidence & { readonly run: number })[]): string {
  const sides = pair.map(({ evidence, missing = '', run }, i) => ({
    run,
    missing: withPrintableTexts(missing),
    side: ['a', 'b'][i] ?? '',
    evidence: evidence && withPrintableTexts(evidence),
  }));
  const names = new Set(
    sides.flatMap(({ evidence }) => evidence?.results.map(({ scenario }) => scenario) ?? []),
  );
  const title = `Runs ${pair.map(({ run }) => run).join(' and ')} of ${place.namespace}/${place.name}`;
  const body = html`<header class="plain"><p class="kicker"><a href="${runPath(place)}">${place.namespace}/${place.name}</a></p>
<h1>Runs ${pair.map(({ run }) => run).join(' and ')} compared</h1></header>
<div class="pair">${sides.map(
    ({
      evidence,
      missing,
      run,
    }) => html`<div><h2>Run ${run} ${evidence ? phaseChip(evidence.verdict?.phase ?? 'Running', evidence.verdict?.reason) : NOTHING}</h2>
<p>${evidence ? html`Began ${timeOf(evidence.originMs)}. ${evidence.verdict?.message ?? 'It has not ended.'}` : `There is no evidence of it: ${missing}.`}</p></div>`,
  )}</div>
${[...names].map(
  (name, i) => html`<section aria-labelledby="pair-${i}"><h2 id="pair-${i}">${name}</h2>
${differences(name, sides)}
<div class="pair">${sides.map(({ evidence, run, side }) => html`<div>${evidence ? sideOf(evidence, name, `${side}${i}-`, run) : NOTHING}</div>`)}</div></section>`,
)}
${foot({}, NO_NETWORK)}`;
  return pageHtml({
    title,
    body,
    style: '#main{max-width:1240px}.top{padding-inline:max(20px,calc(50% - 600px))}',
    isLive: false,
  });
}

/** What is not the same in both runs: the result, and the answers to callers. */
function differences(
  name: string,
  sides: readonly { readonly run: number; readonly evidence: RunEvidence | undefined }[],
): Markup {
  const columns = sides.map(({ evidence }) => evidence && figuresOf(evidence, name));
  const [before, after] = columns;
  if (!before || !after) return NOTHING;
  const rows = Object.keys({ ...before, ...after }).filter((figure) => before[figure] !== after[figure]);
  if (rows.length === 0) return html`<p>Result and answers are the same in both runs.</p>`;
  const change = (figure: string): string => {
    const [from, to] = [Number(before[figure]), Number(after[figure])];
    return Number.isFinite(to - from) ? `${to > from ? '+' : ''}${to - from}` : '';
  };
  return html`<div class="scroll"><table><caption>Differences</caption>
<thead><tr><th scope="col">figure</th>${sides.map(({ run }) => html`<th scope="col">run ${run}</th>`)}<th scope="col">change</th></tr></thead>
<tbody>${rows.map((figure) => html`<tr><th scope="row">${figure}</th>${columns.map((column) => html`<td>${column?.[figure] ?? 'none'}</td>`)}<td>${change(figure)}</td></tr>`)}</tbody></table></div>`;
}

function figuresOf(evidence: RunEvidence, name: string): Readonly<Record<string, string>> {
  const result = evidence.results.find(({ scenario }) => scenario === name);
  const seen = evidence.scenarios.find((scenario) => scenario.name === name);
  return {
    result: result?.result ?? 'no result',
    measured: result?.summary ?? 'nothing',
    ...(seen && answersOf(seen, evidence.complete && evidence.leftOut === '')),
  };
}

function sideOf(evidence: RunEvidence, name: string, anchor: string, run: number): Markup {
  const result = evidence.results.find(({ scenario }) => scenario === name);
  const seen: ScenarioEvidence | undefined = evidence.scenarios.find((scenario) => scenario.name === name);
  if (!result) return html`<h3>Run ${run}</h3><p>It had no such scenario.</p>`;
  const { expect, message, result: came = 'no result', summary, type } = result;
  return html`<h3>Run ${run}: ${came}${summary === undefined ? NOTHING : ` (${summary})`}</h3>
<p class="muted">${words(type)}, expected ${expect}</p>
<p>${message ?? NOTHING}</p>
${seen ? callers(seen, evidence.complete && evidence.leftOut === '') : NOTHING}
${seen ? plotsOf(seen).map((plot) => plotFigure(plot, anchor, HALF)) : html`<p>There are no plots of it.</p>`}`;
}

function timeOf(ms: number): Piece {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'at a time that is not known' : timeMarkup(date.toISOString());
}

/** A page that explains why there is none. */
export function problemPage(why: string): string {
  const body = html`<header class="plain"><h1>${why}</h1></header>`;
  return pageHtml({ title: 'kubectl chaosdemo ui', body });
}
