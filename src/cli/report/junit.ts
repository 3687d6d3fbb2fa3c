/** A report as JUnit XML, shown by CI systems as test results: a case for each scenario. Pure. */
import { diagnosedBy, diagnosedClass, fallbackReason } from '../../api/index.ts';
import { adviceSentence, type ShownDiagnosis } from '../diagnosis.ts';
import { findingText } from '../finding.ts';
import type { Report, ScenarioReport } from './report.ts';
import { html, type Markup, type Part } from './text.ts';

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';

/** Of a scenario without a judgment. */
const NOT_JUDGED: Readonly<Record<string, Outcome>> = { Inconclusive: 'error', NotTested: 'skipped' };

interface Case {
  readonly name: string;
  readonly outcome: Outcome;
  /** The reason in one word. */
  readonly type: string;
  readonly message: string;
  /** Seconds. */
  readonly time: string;
  /** Details of the case. */
  readonly lines: readonly string[];
}

/** XML 1.0. A case that was not judged is an error, one that was not tested is skipped. */
export function reportJunit(report: Report): string {
  const cases = [...report.scenarios.map(caseOf), runCase(report)];
  const count = (outcome: Outcome): number => cases.filter((one) => one.outcome === outcome).length;
  const { headline, verdict } = report;
  const { completedAt, number, runId, startedAt } = report.run;
  const { phase, reason } = verdict;
  const properties: Record<string, Part> = { verdict: phase, reason, run: number, runId, headline };
  const time = secondsBetween(startedAt, completedAt);
  const suite = `${report.namespace}/${report.name}`;
  const counts = html`tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" time="${time}"`;
  // Of the schemas of JUnit, that of Jenkins (junit-10.xsd) permits `skipped` only here.
  return `<?xml version="1.0" encoding="UTF-8"?>\n${
    html`<testsuites name="${suite}" ${counts}>
<testsuite name="${suite} run ${number}" timestamp="${startedAt}" ${counts} skipped="${count('skipped')}">
<properties>
${Object.entries(properties).map(([name, value]) => html`<property name="${name}" value="${value}"/>\n`)}</properties>
${cases.map((one) => caseXml(one, suite))}</testsuite>
</testsuites>
`.text
  }`;
}

function caseOf({ advice, asExpected, diagnosis, gate, status }: ScenarioReport): Case {
  const { evidence = [], expect, fault, message = '', name, reason = '', result } = status;
  const found = `${name} found ${findingText(status)}; gate ${gate}`;
  return {
    name: `${name}: expects ${expect}`,
    outcome: asExpected ? 'passed' : (NOT_JUDGED[result ?? 'NotTested'] ?? 'failure'),
    type: reason === '' ? (result ?? 'NotTested') : reason,
    message: `${found}${message === '' ? '' : `: ${message}`}`,
    time: secondsBetween(fault?.startedAt, fault?.endedAt),
    lines: [
      found,
      ...(advice === undefined ? [] : [`What to do: ${advice}`]),
      ...(fault?.message === undefined ? [] : [fault.message]),
      ...evidence,
      ...(diagnosis ? explained(diagnosis) : []),
    ],
  };
}

function explained(diagnosis: ShownDiagnosis): string[] {
  const made = `Diagnosis by ${diagnosedBy(diagnosis)}: ${diagnosedClass(diagnosis)}`;
  return [made, fallbackReason(diagnosis), adviceSentence(diagnosis)].flatMap((line) => line ?? []);
}

/** Whether the run reached a verdict on its subject at all: the scenarios need not show it. */
function runCase({ headline, missing, tone, verdict: { message, phase, reason } }: Report): Case {
  const isJudged = phase === 'Succeeded' || phase === 'Failed';
  return {
    name: 'the run reaches a verdict',
    outcome: !isJudged ? 'error' : tone === 'none' ? 'skipped' : 'passed',
    type: reason,
    message: `${headline} ${message}`,
    time: '0',
    lines: missing,
  };
}

function caseXml({ lines, message, name, outcome, time, type }: Case, suite: string): Markup {
  const out = lines.length === 0 ? html`` : html`<system-out>${lines.join('\n')}</system-out>\n`;
  const what = {
    passed: html``,
    skipped: html`<skipped message="${message}"/>\n`,
    failure: html`<failure type="${type}" message="${message}">${message}</failure>\n`,
    error: html`<error type="${type}" message="${message}">${message}</error>\n`,
  }[outcome];
  return html`<testcase classname="${suite}" name="${name}" time="${time}">\n${what}${out}</testcase>\n`;
}

function secondsBetween(from: string | undefined, to: string | undefined): string {
  const ms = Date.parse(to ?? '') - Date.parse(from ?? '');
  return ms >= 0 ? (ms / 1000).toFixed(3) : '0';
}
