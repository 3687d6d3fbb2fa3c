/** The live view of one ChaosDemo: everything at a glance from 80x24 on, degrading below that. Pure. */
import { endOf } from '../../api/index.ts';
import { scenarioReports } from '../report/report.ts';
import { waitingOf } from '../stepper.ts';
import { type Charts, chartLines, chartsOf } from './chart.ts';
import { fit, type Line, render, rule, seg, sideBySide, spread, widthOf, wrap } from './line.ts';
import {
  chapterLines,
  connectionPart,
  countdownLines,
  healthLine,
  phasePart,
  resultLines,
  timePart,
} from './parts.ts';
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

/** Rows of charts with their heading, title, axis and times. */
const CHART_ROWS = { least: 6, most: 14 };
/** For the current step, the health and two results. */
const BODY_ROWS = 9;

/** Exactly `rows` lines of at most `columns` columns. */
export function watchView(state: LiveState, frame: Frame): string[] {
  const { columns, rows } = frame;
  const head = header(state, frame);
  const foot: Line[] = [spread([seg(frame.keys, 'dim')], connectionPart(state, frame.now), columns)];
  const room = Math.max(0, rows - head.length - foot.length);
  const below = chartRows(state, columns, room);
  const body = bodyLines(state, frame, room - below.length);
  const lines = [...head, ...body, ...below].slice(0, Math.max(0, rows - foot.length));
  while (lines.length < rows - foot.length) lines.push([]);
  return [...lines, ...foot].slice(-rows).map((line) => render(line, frame));
}

/** The charts, or why there are none. They leave room for all chapters, or at least for those around the current one. */
function chartRows(state: LiveState, columns: number, room: number): Line[] {
  const evidence = currentEvidence(state);
  const charts = evidence && chartsOf(evidence);
  if (!charts) return room > BODY_ROWS ? [whyNoCharts(state, columns)] : [];
  const chapters = Math.max(BODY_ROWS, state.demo?.status?.chapters?.length ?? 0);
  const height = Math.min(CHART_ROWS.most, Math.max(CHART_ROWS.least, room - chapters));
  return room - height >= BODY_ROWS ? plotLines(charts, columns, height) : [];
}

function header(state: LiveState, { columns, now }: Frame): Line[] {
  const { demo, name, namespace } = state;
  const status = demo?.status ?? {};
  const run = status.run ? `  run ${status.run.number}` : '';
  const object: Line = [seg(`${namespace}/`, 'dim'), seg(name, 'strong')];
  const phase: Line = [seg(run, 'dim'), seg('  '), ...phasePart(state)];
  const times = timePart(demo, now);
  // The end of a long name is the least.
  const left = [...fit(object, Math.max(1, columns - widthOf(phase) - widthOf(times) - 1)), ...phase];
  return [spread(left, times, columns), rule('', columns)];
}

/** The chapters next to the current step. */
function bodyLines(state: LiveState, frame: Frame, height: number): Line[] {
  const { columns } = frame;
  const status = state.demo?.status ?? {};
  if (!status.chapters) return nowLines(state, frame, columns, height).slice(0, height);
  const width = Math.min(34, Math.floor(columns * 0.36));
  const right = nowLines(state, frame, columns - width - 3, height);
  return sideBySide(chapterLines(status, height), right, width, [seg(' │ ', 'dim')]).slice(0, height);
}

/** The current step, the health, and the results. */
function nowLines(state: LiveState, { now }: Frame, width: number, height: number): Line[] {
  const { deleted, demo } = state;
  if (deleted) return [[seg(`${state.name} was deleted`, 'warning')]];
  if (!demo) return [[seg('Waiting for the API server to show it', 'dim')]];
  const status = demo.status ?? {};
  const waiting = waitingOf(status);
  const counted = countdownLines(status, now, width);
  const waits: Line[] = waiting
    ? [[seg(`‖ Waits for you to continue to ${waiting.next ?? 'the verdict'}`, 'warning')]]
    : [];
  const around = 2 + counted.length + waits.length;
  const scenarios = scenarioReports(status, currentEvidence(state));
  const results = resultLines(scenarios, status.run, width, height - around - 1);
  // Blank lines only if there is room.
  const gaps = height - around - results.length >= 4 ? [[]] : [];
  const { message = status.message ?? '' } = endOf(status) ?? {};
  const messageRows = height - around - results.length - 2 * gaps.length;
  return [
    [seg(status.chapter ?? status.phase ?? 'No operator has seen it yet', 'strong')],
    ...wrap(message, width, Math.max(1, messageRows)),
    ...counted,
    ...waits,
    ...gaps,
    healthLine(status),
    ...(results.length > 0 ? [...gaps, ...results] : []),
  ].map((line) => fit(line, width));
}

function plotLines({ plots, scenario }: Charts, columns: number, height: number): Line[] {
  const [first, second] = plots;
  if (!first) return [];
  const top = rule(`Measured in ${scenario}`, columns);
  if (!second) return [top, ...chartLines(first, columns, height - 1)];
  const width = Math.floor((columns - 2) / 2);
  const right = chartLines(second, columns - 2 - width, height - 1);
  return [top, ...sideBySide(chartLines(first, width, height - 1), right, width, [seg('  ')])];
}

function whyNoCharts({ demo, noEvidence }: LiveState, columns: number): Line {
  const why =
    noEvidence ?? (demo?.status?.run ? 'there is no evidence of this run (ConfigMap) yet' : 'no run yet');
  return fit([seg(`No charts: ${why}`, 'dim')], columns);
}
