/** The results of a run as lines for a terminal: each scenario, and its end with the verdict. Pure. */
import { diagnosedClass, fallbackReason, measureInWords, type ScenarioStatus } from '../api/index.ts';
import { code } from '../subjects/checkers/checker.ts';
import { outageWords } from '../subjects/ratelimiter/scenarios/store-outage/words.ts';
import { sureText } from './diagnosis.ts';
import { expectedText, figureText } from './finding.ts';
import { measuresOf } from './measures.ts';
import type { Report, ScenarioReport } from './report/report.ts';

/** The result of a scenario in one line, with its figure. */
export function resultLine(scenario: ScenarioStatus): string {
  const figure = figureText(scenario);
  return `${scenario.name} ${scenario.result ?? 'not tested'}${figure === '' ? '' : `: ${figure}`}`;
}

/** The end of a run: each finding with its cause and what to do, and the verdict as the last line. */
export function verdictLines({ chapters, scenarios, verdict }: Report): string[] {
  const { message, phase, reason } = verdict;
  const isToEnd = chapters.every(({ state }) => state === 'Completed');
  return [
    '',
    ...summaryLines(scenarios).flat(),
    // Of a run that reached its last chapter, the lines above have all that it states.
    ...(isToEnd || message === '' ? [] : [message]),
    ...(scenarios.some(({ status }) => status.result !== undefined)
      ? ['All figures and evidence: --report-dir here, kubectl chaosdemo report in a cluster']
      : []),
    `Verdict: ${phase} (${reason}), ${expectedText({ scenarios: scenarios.map(({ status }) => status) })}`,
  ];
}

/** How evidence of something that was left out begins. */
const NOT_CHECKED = outageWords(code('ReturnNotChecked', { why: '' }));

/** A mark for each tone of a finding. */
const MARKS = { good: '✓', bad: '✗', expected: '•', none: '?' } as const;

/** The tone on a terminal: that of the finding, whatever the gate decides, unless it is a violation that is expected. */
export function shownTone({ finding: { tone }, status }: ScenarioReport): keyof typeof MARKS {
  return status.expect === 'Violated' && status.result === 'Violated' ? 'expected' : tone;
}

/** Of each scenario its finding in aligned columns, and below it what was not checked, the cause and what to do. */
export function summaryLines(scenarios: readonly ScenarioReport[]): string[][] {
  const rows = scenarios.map((scenario) => [
    `${MARKS[shownTone(scenario)]} ${scenario.status.name}`,
    scenario.finding.word,
    scenario.status.result === undefined ? '' : `Gate: ${scenario.gate}`,
    scenario.finding.figure,
  ]);
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return scenarios.map(({ advice, diagnosis, status: { evidence = [], result } }, i) => {
    const reason = diagnosis && fallbackReason(diagnosis);
    const cells = rows[i]?.map((cell, column) => cell.padEnd(widthOf(column))) ?? [];
    return [
      cells.join('  ').trimEnd(),
      // Without a result, or after a violation, this is no news.
      ...(result === 'Held' ? evidence.filter((each) => each.startsWith(NOT_CHECKED)) : []),
      // A cause that is the injected fault is no news.
      ...(diagnosis?.recommendation === undefined
        ? []
        : [`Cause: ${diagnosedClass(diagnosis)}${sureText(diagnosis)}`]),
      ...(reason === undefined ? [] : [reason]),
      ...(advice === undefined ? [] : [`What to do: ${advice}`]),
    ].map((line, place) => (place === 0 ? line : `    ${line}`));
  });
}

/** The finding of a scenario, with its figures and evidence. */
export function scenarioLines(scenario: ScenarioStatus): string[] {
  const { evidence = [], expect, fault, message } = scenario;
  const lines = [`${resultLine(scenario)} (expected ${expect})`];
  if (message) lines.push(`  ${message}`);
  if (fault) lines.push(`  Fault ${fault.proof ?? 'not proven'}: ${fault.message ?? fault.id}`);
  const figures = measuresOf(scenario).map(({ name, unit }) => measureInWords(name, scenario, unit));
  if (figures.length > 0) lines.push(`  Measured: ${figures.join('; ')}`);
  return [...lines, ...evidence.map((item) => `  - ${item}`)];
}
