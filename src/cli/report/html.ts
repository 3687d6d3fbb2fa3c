/** A report as one self-contained HTML page: no script, no request, no other file. Pure. */
import type { ScenarioStatus } from '../../api/index.ts';
import { diagnosedBy, diagnosedPlace, nameInWords, valueInWords } from '../../api/index.ts';
import { adviceSentence, gradeText, type ShownDiagnosis, sureText } from '../diagnosis.ts';
import { findingText } from '../finding.ts';
import { measuresOf } from '../measures.ts';
import { callers } from './callers.ts';
import { chartSvg } from './chart.ts';
import { STYLE } from './page-style.ts';
import { componentName, type Plot, type PlotLine, seconds, tableOf } from './plot.ts';
import { plotsOf } from './plots.ts';
import type { RunReport, ScenarioReport } from './report.ts';
import { tableMarkup } from './table.ts';
import { html, type Markup, Markup as MarkupText, type Part as Piece, timeMarkup } from './text.ts';
import { timeline } from './timeline.ts';

const NOTHING = html``;

/** A page that is served, and updated by a script. */
export interface Live {
  readonly script: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The complete page. @param live undefined: a file */
export function reportHtml(report: RunReport, live?: Live): string {
  const { headline, name, namespace, run, verdict } = report;
  const title = `${verdict?.phase ?? 'Running'}: run ${run.number} of ${namespace}/${name}`;
  return pageHtml(title, headline, reportMain(report, live), live);
}

/** A page without a report. */
export function messageHtml(title: string, paragraphs: readonly string[], live?: Live): string {
  const main = html`<header><h1>${title}</h1>
${paragraphs.map((text) => html`<p>${text}</p>`)}</header>`;
  return pageHtml(title, title, main, live);
}

/** @param headline announced by a screen reader when it has changed */
function pageHtml(title: string, headline: string, main: Markup, live: Live | undefined): string {
  const policy = html`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${live ? html`<link rel="icon" href="data:,">` : policy}
<title>${title}</title>
<style>${new MarkupText(STYLE)}</style>
</head>
<body>
${live ? html`<p id="state" role="status"><noscript>not live without scripts</noscript></p><p id="announced" role="status">${headline}</p>\n` : NOTHING}<main>
${main}
</main>
${live ? new MarkupText(`<script>${live.script}</script>\n`) : NOTHING}</body>
</html>
`.text
  }`;
}

function reportMain(report: RunReport, live: Live | undefined): Markup {
  const { evidence, missing, pending, run, scenarios, verdict } = report;
  const isWhole = evidence?.complete === true && evidence.leftOut === '';
  const isOn = verdict === undefined;
  const until = isOn && live ? new Date(live.now).toISOString() : run.completedAt;
  return html`${pending === '' ? NOTHING : notes([`Another run is to begin: ${pending}`, `Below is run ${run.number}.`])}
${head(report)}
${notes(missing)}
${isOn ? NOTHING : advice(report)}
${timeline(report, until)}
${scenarios.map((scenario) => scenarioSection(scenario, { isOn, isWhole }))}
${foot(report, live ? 'It is served to this machine only.' : 'This file needs no network.')}`;
}

/** Sentences next to the report. */
function notes(sentences: readonly string[]): Markup {
  return sentences.length === 0
    ? NOTHING
    : html`<aside>${sentences.map((text) => html`<p>${text}</p>`)}</aside>`;
}

function head({ headline, message, name, namespace, run, took, tone, verdict }: RunReport): Markup {
  const { completedAt = '', number, podNames = [], runId = '', startedAt } = run;
  const facts: [string, Piece][] = [
    ['Verdict', verdict ? `${verdict.phase} (${verdict.reason})` : ''],
    ['Started', html`${timeMarkup(startedAt)}${took === '' ? '' : `, took ${took}`}`],
    ['Ended', completedAt === '' ? '' : timeMarkup(completedAt)],
    ['Run ID', runId],
    ['Pods', podNames.join(', ')],
  ];
  return html`<header class="tone-${tone}">
<p class="kicker">Run ${number} of ${namespace}/${name}</p>
<h1>${headline}</h1>
${verdict ? NOTHING : html`<p>${message}</p>`}
<dl class="facts">${facts.flatMap(([term, text]) => (text === '' ? [] : [html`<div><dt>${term}</dt><dd>${text}</dd></div>`]))}</dl>
</header>`;
}

/** The finding, in its colour; and the gate's decision, in none. */
function chips({ finding, gate }: Pick<ScenarioReport, 'finding' | 'gate'>): Markup {
  return html`<span class="chip ${finding.tone}">${finding.word}</span> <span class="chip gate">Gate: ${gate}</span>`;
}

function advice({ advice: all }: RunReport): Markup {
  return html`<section aria-labelledby="todo" class="todo"><h2 id="todo">What to do</h2>
<ul>${all.map(({ scenario, text }) => html`<li>${scenario === undefined ? NOTHING : html`<b>${scenario}</b>: `}${text}</li>`)}</ul></section>`;
}

/**
 * `isWhole`: nothing was left out of the evidence, and nothing is still to come. `isOn`: the run has not ended. While
 * a fault is active, measures and sentences of the status are older than the evidence, and contradict its plots.
 */
function scenarioSection(
  scenario: ScenarioReport,
  { isOn, isWhole }: { readonly isOn: boolean; readonly isWhole: boolean },
): Markup {
  const { diagnosis, evidence, number, status, title } = scenario;
  const isOpen = isOn && status.result === undefined;
  const isStale = isOn && status.fault?.endedAt === undefined;
  const measured = isStale ? undefined : status.result && findingText(status);
  const plots = evidence ? plotsOf(evidence) : [];
  const anchor = `c${number}-`;
  return html`<section aria-labelledby="scenario-${number}">
<h2 id="scenario-${number}">${title} ${isOpen ? html`<span class="chip none">no result yet</span>` : chips(scenario)}</h2>
<p class="kicker">Scenario ${status.name}, expected ${status.expect}: ${status.result ?? (isOpen ? 'no result yet' : 'not tested')}${measured ? ` (${measured})` : ''}</p>
${actions(scenario, isOpen)}
${evidence ? callers(evidence, isWhole) : NOTHING}
${isStale ? NOTHING : measures(status)}
${plots.length === 0 ? NOTHING : html`<div class="plots">${plots.map((plot) => plotFigure(plot, anchor))}</div>`}
${diagnosis ? diagnosisPart(diagnosis, anchor) : NOTHING}
${observations(scenario, isStale)}
</section>`;
}

const PROOFS: Readonly<Record<string, string>> = {
  Confirmed: 'It was proven that the fault was there.',
  Mismatch: 'The fault was ordered, and it was not there as ordered.',
  Inconclusive: 'It is unknown whether the fault was there.',
};

/** `isOpen`: more may come. */
function actions({ status: { fault, message } }: ScenarioReport, isOpen: boolean): Markup {
  const unproved = isOpen ? 'It is not proved yet.' : 'There is no proof of the fault.';
  const lines = [
    fault?.message,
    fault && (PROOFS[fault.proof ?? ''] ?? unproved),
    fault?.startedAt && faultPeriod(fault, isOpen),
    message,
  ].filter((line) => line !== undefined && line !== '');
  const nothing = isOpen ? 'Nothing so far.' : 'Nothing: no fault was injected.';
  return html`<h3>What was done</h3>
${lines.length === 0 ? html`<p>${nothing}</p>` : html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`}`;
}

function faultPeriod(
  { endedAt, startedAt = '', until }: NonNullable<ScenarioStatus['fault']>,
  isOpen: boolean,
): Markup {
  const tense = isOpen && endedAt === undefined ? 'is' : 'was';
  // If the end was not observed, it is shown as the bound.
  const last = endedAt === undefined || endedAt === until ? ' at the latest' : '';
  return html`It ${tense} active from ${timeMarkup(startedAt)} to ${timeMarkup(endedAt ?? until)}${last}.`;
}

function measures(of: ScenarioStatus): Markup {
  const all = measuresOf(of);
  if (all.length === 0) return NOTHING;
  return html`<h3>What was measured</h3>
${tableMarkup({
  caption: 'Measures, the one of the invariant first',
  head: ['measure', 'value', 'at most'],
  rows: all.map(({ name, unit }) => [nameInWords(name), valueInWords(name, of, unit), of.bounds?.[name]]),
})}`;
}

/** A plot with its key and the table of its figures. @param anchor prefix of the names in it */
function plotFigure(plot: Plot, anchor: string): Markup {
  const svg = new MarkupText(chartSvg(plot, anchor));
  const key = keyOf(plot);
  return html`<figure><figcaption><b>${plot.title} (${plot.unit}${plot.log ? ', each line ten times the one below' : ''})</b> ${plot.about}</figcaption>
<div class="scroll" tabindex="0">${svg}</div>
${key.length === 0 ? NOTHING : html`<ul class="key">${key.map(({ colour, name }) => html`<li><i class="k-${colour}${plot.unit === 'ms' ? ' dots' : ''}"></i>${name}</li>`)}</ul>`}
<details><summary>Figures of this plot</summary>${tableMarkup(tableOf(plot))}</details></figure>`;
}

/** The legend; lines of single pods share one entry. The table names each. */
function keyOf({ lines }: Plot): readonly PlotLine[] {
  const named = lines.filter(({ colour }) => colour !== 'faint').toReversed();
  const pod = lines.find(({ colour }) => colour === 'faint');
  return pod ? [...named, { ...pod, name: 'single pods' }] : named;
}

function diagnosisPart(diagnosis: ShownDiagnosis, anchor: string): Markup {
  const { citations, class: cause, message, full } = diagnosis;
  const { alternatives = [], chain = [] } = full ?? {};
  const listed = new Set(citations.map(({ id }) => id));
  const cite = (id: string): Markup =>
    listed.has(id)
      ? html` <a class="ref" href="#${anchor}${id}">${id}</a>`
      : html` <span class="ref">${id}</span>`;
  const place = diagnosedPlace(diagnosis);
  const grade = gradeText(diagnosis);
  return html`<h3>Diagnosis</h3>
<p><b>${cause}</b>${place === '' ? '' : ` at ${place}`}${sureText(diagnosis)}. By ${diagnosedBy(diagnosis)}, from the evidence only. ${full ? 'Each claim links to what shows it.' : ''}</p>
${chain.length === 0 ? NOTHING : html`<ol class="claims">${chain.map((step) => html`<li>${step.text}${step.evidence.map(cite)}</li>`)}</ol>`}
${alternatives.length === 0 ? NOTHING : html`<p>Other possible causes: ${alternatives.map((other) => `${other.class} at ${other.component}`).join('; ')}.</p>`}
${[adviceSentence(diagnosis), grade && `${grade}.`, message].map((text) =>
  text
    ? html`<p>${text}</p>
`
    : NOTHING,
)}
${citations.length === 0 ? NOTHING : html`<details open><summary>What it cites</summary><ul class="cited">${citations.map(({ id, text }) => html`<li id="${anchor}${id}"><span class="ref">${id}</span> ${text}</li>`)}</ul></details>`}`;
}

function observations({ evidence, status }: ScenarioReport, isStale: boolean): Markup {
  const sentences = isStale ? [] : (status.evidence ?? []);
  const events = evidence?.bundle.events ?? [];
  return html`${sentences.length === 0 ? NOTHING : html`<h3>What was seen</h3><ul>${sentences.map((text) => html`<li>${text}</li>`)}</ul>`}
${evidence && events.length > 0 ? html`<details><summary>Events, second by second (${events.length})</summary><ul class="cited">${events.map(({ atMs, component, text }) => html`<li><span class="ref">${seconds(atMs)}</span> ${componentName(evidence, component)}: ${text}</li>`)}</ul></details>` : NOTHING}`;
}

/** @param last a sentence about this page */
function foot({ verdict }: RunReport, last: string): Markup {
  return html`<footer>${verdict ? html`<p>${verdict.message}</p>` : NOTHING}
<p>Times are UTC, by the clock of the operator. Seconds in plots and events count from the start of the fault or of the burst that is shown. If none has begun, they count from its planned start. ${last}</p></footer>`;
}
