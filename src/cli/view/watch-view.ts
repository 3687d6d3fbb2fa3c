/** The live view of one ChaosDemo: everything at a glance from 80x24 on, degrading below that. Pure. */
import type { ChaosDemoStatus } from '../../api/index.ts';
import { adviceSentence, endOf } from '../../api/index.ts';
import { shownDiagnoses } from '../diagnosis.ts';
import { waitingOf } from '../stepper.ts';
import { type Chart, chartLines } from './chart.ts';
import { fit, type Line, pad, render, rule, seg, sideBySide, spread, widthOf, wrap } from './line.ts';
import {
  chapterLines,
  connectionPart,
  countdownLine,
  countdownOf,
  elapsedOf,
  explainedLines,
  healthLines,
  phasePart,
  progressPart,
} from './parts.ts';
import { chartsOf } from './series.ts';
import { currentEvidence, type LiveState } from './state.ts';

export interface Frame {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  /** Since the epoch, by the clock of this machine. */
  readonly now: number;
  /** The description of the keys; the last line. */
  readonly keys: string;
}

/** Narrower terminals have no room for chapters next to the rest. */
const NARROW = 60;
/** Columns for namespace and name, so that they can be recognized. */
const LEAST_OBJECT = 24;
/** Rows of charts with their heading, title, axis and times. */
const CHART_ROWS = { least: 6, usual: 7, most: 14 };
/** For the current step, the health and two results. */
const BODY_ROWS = 9;
const EVENT_ROWS = 3;
/** Share of a tall terminal, for the texts next to the chapters. */
const BODY_SHARE = 0.4;

/** Exactly `rows` lines of at most `columns` columns. */
export function watchView(state: LiveState, frame: Frame): string[] {
  const { columns, rows } = frame;
  const head = header(state, frame);
  const foot: Line[] = [spread([seg(frame.keys, 'dim')], connectionPart(state, frame.now), columns)];
  const room = Math.max(0, rows - head.length - foot.length);
  const body = bodyLines(state, frame, bodyHeight(state, room));
  const below = belowLines(state, columns, room - body.length);
  const lines = [...head, ...body, ...below].slice(0, Math.max(0, rows - foot.length));
  while (lines.length < rows - foot.length) lines.push([]);
  return [...lines, ...foot].slice(-rows).map((line) => render(line, frame));
}

/** Room for all chapters, unless the charts need it: the current chapter stays visible. */
function bodyHeight(state: LiveState, room: number): number {
  const chapters = Math.max(BODY_ROWS, state.demo?.status?.chapters?.length ?? 0);
  const isPlotted = currentCharts(state).length > 0;
  const minHeight = isPlotted ? chapters : chapters + 2;
  const full = Math.min(room, Math.max(minHeight, Math.floor(room * BODY_SHARE)));
  const below = CHART_ROWS.usual + 1 + EVENT_ROWS;
  return !isPlotted ? full : Math.min(full, Math.max(BODY_ROWS, room - below));
}

function currentCharts(state: LiveState): Chart[] {
  const evidence = currentEvidence(state);
  return evidence ? chartsOf(evidence) : [];
}

function header(state: LiveState, { columns, now }: Frame): Line[] {
  const { demo, name, namespace } = state;
  const status = demo?.status ?? {};
  const run = status.run ? `  run ${status.run.number}` : '';
  const object: Line = [seg(`${namespace}/`, 'dim'), seg(name, 'strong')];
  const phase: Line = [seg(run, 'dim'), seg('  '), ...phasePart(state)];
  const elapsed: Line = [seg(elapsedOf(status, now), 'strong')];
  const withResult: Line = [seg(status.result ? `${status.result}  ` : '', 'dim'), ...elapsed];
  const roomWith = (right: Line): number => columns - widthOf(phase) - widthOf(right) - 1;
  // The results are below as well, and the end of a long name is the least.
  const right = roomWith(withResult) < Math.min(widthOf(object), LEAST_OBJECT) ? elapsed : withResult;
  const left: Line = [...fit(object, Math.max(1, roomWith(right))), ...phase];
  const progress = columns < NARROW ? [progressPart(status)] : [];
  return [spread(left, right, columns), ...progress, rule('', columns)];
}

function bodyLines(state: LiveState, frame: Frame, height: number): Line[] {
  const { columns } = frame;
  const status = state.demo?.status ?? {};
  const isNarrow = columns < NARROW || !status.chapters;
  const leftWidth = isNarrow ? 0 : Math.min(34, Math.floor(columns * 0.36));
  const right = nowLines(state, frame, columns - leftWidth - (isNarrow ? 0 : 3), height);
  if (isNarrow) return right.slice(0, height);
  const left = chapterLines(status, height);
  return sideBySide(left, right.slice(0, height), leftWidth, [seg(' │ ', 'dim')]).slice(0, height);
}

/** The current step, the health, and the results. */
function nowLines(state: LiveState, { now }: Frame, width: number, height: number): Line[] {
  const { deleted, demo } = state;
  if (deleted) return [[seg(`${state.name} was deleted`, 'warning')]];
  if (!demo) return [[seg('Waiting for the API server to show it', 'dim')]];
  const status = demo.status ?? {};
  const countdown = countdownOf(status, now);
  const waiting = waitingOf(status);
  const health = healthLines(status);
  const counted: Line[] = countdown ? [countdownLine(countdown, width)] : [];
  const waits: Line[] = waiting
    ? [[seg(`‖ Waits for you to continue to ${waiting.next ?? 'the verdict'}`, 'warning')]]
    : [];
  const around = 1 + health.length + counted.length + waits.length;
  const results = explainedLines(status, width, height - around - 1);
  // Blank lines only if there is room.
  const gaps = height - around - results.length >= 4 ? [[]] : [];
  const messageRows = height - around - results.length - 2 * gaps.length;
  const lines: Line[] = [
    [seg(status.chapter ?? phaseWord(status), 'strong')],
    ...messageLines(status, width, Math.max(1, messageRows)),
    ...counted,
    ...waits,
    ...gaps,
    ...health,
    ...(results.length > 0 ? [...gaps, ...results] : []),
  ].map((line) => fit(line, width));
  return [...lines, ...chainLines(state, width, height - lines.length)];
}

/** The diagnosis of the last anomaly and its recommendation, in the room left. */
function chainLines(state: LiveState, width: number, room: number): Line[] {
  const last = state.demo && shownDiagnoses(state.demo, currentEvidence(state)).at(-1);
  if (!last || room < 4) return [];
  const { missing, scenario, full } = last;
  const why = full ? full.chain.map(({ text }) => text).join(' ') : missing;
  const half = Math.floor((room - 2) / 2);
  return [
    [],
    fit([seg(`Why, in ${scenario}:`, 'dim')], width),
    ...wrap(why, width, half),
    ...wrap(adviceSentence(last), width, room - 2 - half),
  ];
}

function phaseWord({ phase }: ChaosDemoStatus): string {
  return phase ?? 'No operator has seen it yet';
}

/** The verdict once there is one, else the current message. */
function messageLines(status: ChaosDemoStatus, width: number, most: number): Line[] {
  const { message = '', run } = status;
  return wrap(endOf(run)?.message ?? message, width, most);
}

/** Charts and events, as far as there is room. */
function belowLines(state: LiveState, columns: number, room: number): Line[] {
  const charts = currentCharts(state);
  const forCharts = Math.min(CHART_ROWS.most, room - 1 - EVENT_ROWS);
  const plots =
    charts.length > 0 && forCharts >= CHART_ROWS.least ? plotLines(charts, columns, forCharts) : [];
  const absent = charts.length === 0 && room > EVENT_ROWS + 2 ? [whyNoCharts(state, columns)] : [];
  const left = room - plots.length - absent.length;
  return [...plots, ...absent, ...eventLines(state, columns, left)];
}

function plotLines(charts: readonly Chart[], columns: number, height: number): Line[] {
  const [first, second] = charts;
  if (!first) return [];
  const top = rule('Measured', columns);
  const plotted = height - 1;
  if (!second || columns < NARROW) return [top, ...chartLines(first, columns, plotted)];
  const leftWidth = Math.floor((columns - 2) / 2);
  const right = chartLines(second, columns - 2 - leftWidth, plotted);
  return [top, ...sideBySide(chartLines(first, leftWidth, plotted), right, leftWidth, [seg('  ')])];
}

function whyNoCharts({ demo, noEvidence }: LiveState, columns: number): Line {
  const why =
    noEvidence ?? (demo?.status?.run ? 'there is no evidence of this run (ConfigMap) yet' : 'no run yet');
  return fit([seg(`No charts: ${why}`, 'dim')], columns);
}

function eventLines({ events, noEvents }: LiveState, columns: number, room: number): Line[] {
  if (room < 2) return [];
  const shown = events.slice(-(room - 1));
  const lines: Line[] = shown.map(({ atMs, note, reason, warning }) => [
    seg(`${timeOf(atMs)} `, 'dim'),
    ...pad([seg(reason, warning ? 'warning' : 'plain')], 20),
    seg(` ${note}`, 'dim'),
  ]);
  const none: Line = [seg(noEvents ? `No events: ${noEvents}` : 'none so far', 'dim')];
  return [rule('Events', columns), ...(lines.length > 0 ? lines : [none])].map((line) => fit(line, columns));
}

/** "12:05:33", by the clock of this machine. */
function timeOf(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}
