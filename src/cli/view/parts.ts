/** Parts of the live view: phase, progress, countdown, health, results, times. Pure. */

import type { ChaosDemo, ChaosDemoStatus, RunStatus } from '../../api/index.ts';
import { currentChapter, type NumberedChapter, numbered } from '../../engine/chapter.ts';
import type { ScenarioReport } from '../report/report.ts';
import { shownTone, summaryLines } from '../run-text.ts';
import { type Line, seg, type TextStyle, widthOf, wrap } from './line.ts';
import type { LiveState } from './state.ts';
import { leftOf } from './time-left.ts';

const PHASE_STYLES: Readonly<Record<string, TextStyle>> = {
  Running: 'active',
  // The gate passed; whether the subject is healthy is shown by its findings.
  Succeeded: 'strong',
  Failed: 'bad',
  Errored: 'bad',
  Aborted: 'warning',
};

/** The state of the object, in a word or two: the reason if that is more specific. */
export function phasePart({ demo }: LiveState): Line {
  const phase = demo?.status?.phase ?? 'Pending';
  const ready = demo?.status?.conditions?.find(({ type }) => type === 'Ready');
  const more = ready && ready.reason !== phase && phase !== 'Running' ? ` (${ready.reason})` : '';
  return [seg(`${phase}${more}`, PHASE_STYLES[phase] ?? 'warning')];
}

/** The state of the connection, if it is worth showing. */
export function connectionPart({ lost }: LiveState, now: number): Line {
  if (!lost) return [];
  const seconds = Math.max(0, Math.round((now - lost.sinceMs) / 1000));
  return [seg(`connection lost for ${seconds} s, trying again`, 'bad')];
}

const CHAPTER_MARKS: Readonly<Record<NumberedChapter['state'], { mark: string; style: TextStyle }>> = {
  Pending: { mark: '·', style: 'dim' },
  Running: { mark: '▶', style: 'active' },
  Waiting: { mark: '‖', style: 'warning' },
  Completed: { mark: '✓', style: 'good' },
  Stopped: { mark: '✗', style: 'bad' },
};

/** One line for each chapter; of more than `height`, those around the current one. */
export function chapterLines(status: ChaosDemoStatus, height: number): Line[] {
  const { chapters = [] } = status;
  const chapterNumber = currentChapter(status)?.number ?? 1;
  const from = Math.max(0, Math.min(chapterNumber - Math.ceil(height / 2), chapters.length - height));
  return numbered(status)
    .slice(from, from + height)
    .map(({ number, state, title }) => {
      const { style, mark } = CHAPTER_MARKS[state];
      const isCurrent = state === 'Running' || state === 'Waiting';
      const name = isCurrent ? 'strong' : style === 'dim' ? 'dim' : 'plain';
      return [seg(`${mark} `, style), seg(`${String(number).padStart(2)} `, 'dim'), seg(title, name)];
    });
}

/** Columns of the bar behind a countdown, at most. */
const BAR = 20;

/** The countdown to the next fault, or to the end of one with its progress, if there is any. */
export function countdownLines({ scenarios = [] }: ChaosDemoStatus, now: number, width: number): Line[] {
  for (const { fault, name } of scenarios) {
    if (!fault || fault.endedAt !== undefined) continue;
    const [planned, until] = [Date.parse(fault.plannedAt), Date.parse(fault.until)];
    if (fault.startedAt === undefined && planned > now) {
      // The spec has the total length of the countdown; only the rest matters here.
      return [[seg(`◷ ${name} in ${Math.ceil((planned - now) / 1000)} s `, 'warning')]];
    }
    const started = Date.parse(fault.startedAt ?? '');
    if (Number.isFinite(started) && until > now) {
      const label = seg(`■ ${name}: fault on, ${Math.ceil((until - now) / 1000)} s left `, 'fault');
      const bar = Math.min(BAR, width - widthOf([label]));
      if (bar < 4) return [[label]];
      const done = Math.min(1, Math.max(0, (now - started) / Math.max(1, until - started)));
      const filled = Math.round((1 - done) * bar);
      return [[label, seg('█'.repeat(filled), 'fault'), seg('░'.repeat(bar - filled), 'dim')]];
    }
  }
  return [];
}

/** The result of the last health check. */
export function healthLine({ conditions = [] }: ChaosDemoStatus): Line {
  const healthy = conditions.find(({ type }) => type === 'Healthy');
  const label = seg('Health  ', 'dim');
  if (!healthy || healthy.status === 'Unknown') return [label, seg('not checked yet', 'dim')];
  const isGood = healthy.status === 'True';
  return [label, isGood ? seg('●', 'good') : seg('○', 'bad'), seg(` ${healthy.message}`)];
}

const FINDING_STYLES = { good: 'good', bad: 'bad', expected: 'dim', none: 'warning' } as const;

/** The finding of each scenario with its cause and advice, or its current step; of more than `most` lines, the first ones. */
export function resultLines(
  scenarios: readonly ScenarioReport[],
  run: RunStatus | undefined,
  width: number,
  most: number,
): Line[] {
  const summaries = summaryLines(scenarios);
  const results = scenarios.map((scenario, i): Line[] => {
    const { expect, fault, name, result } = scenario.status;
    if (!result) {
      const step = fault?.startedAt ? 'is being watched' : `to come, expected ${expect}`;
      return [[seg(`☆ ${name}: ${run?.phase ? 'not tested' : step}`, run?.phase ? 'warning' : 'dim')]];
    }
    const [finding = '', ...more] = summaries[i] ?? [];
    return [
      ...wrap(finding, width, 2, FINDING_STYLES[shownTone(scenario)]),
      ...more.flatMap((line) => wrap(line.trim(), width - 2, 2).map((part) => [seg('  '), ...part])),
    ];
  });
  const longest = Math.max(0, ...results.map(({ length }) => length));
  const shortened = Array.from({ length: longest }, (_, i) =>
    results.flatMap((lines) => lines.slice(0, longest - i)),
  );
  return shortened.find((lines) => lines.length <= most) ?? results.flatMap((lines) => lines.slice(0, 1));
}

/** "1:05", since the run began, and the longest that is left; after its end, the total time. */
export function timePart(demo: ChaosDemo | undefined, now: number): Line {
  const run = demo?.status?.run;
  if (!run) return [];
  const end = run.completedAt === undefined ? now : Date.parse(run.completedAt);
  const left = leftOf(demo, now);
  const rest = left > 0 ? [seg(`, up to about ${clock(left)} left`, 'dim')] : [];
  return [seg(clock(end - Date.parse(run.startedAt)), 'strong'), ...rest];
}

function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
