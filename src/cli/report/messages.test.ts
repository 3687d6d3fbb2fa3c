/** The words of reports, in one snapshot: other tests of reports assert figures, reasons and structure. */
import { expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import type { ChaosDemo, ChaosDemoStatus, ScenarioStatus, Verdict } from '../../api/index.ts';
import { type Report, type ReportSource, reportOf } from './report.ts';
import { FORMATS } from './write.ts';

/** The recorded run with another status. */
function runWith(change: (status: ChaosDemoStatus) => Partial<ChaosDemoStatus>): ReportSource {
  const { demo, evidence } = recordedRun();
  const status: ChaosDemoStatus = demo.status ?? {};
  return { demo: { ...demo, status: { ...status, ...change(status) } } satisfies ChaosDemo, evidence };
}

function ended(
  [phase, reason]: readonly [Verdict['phase'], Verdict['reason']],
  change: Partial<ScenarioStatus> | ((one: ScenarioStatus, i: number) => Partial<ScenarioStatus>),
): ReportSource {
  const changed = typeof change === 'function' ? change : () => change;
  return runWith(({ run, scenarios = [] }) => ({
    phase,
    message: 'the message of the verdict',
    ...(run && { run: { ...run, phase, reason } }),
    scenarios: scenarios.map((one, i) => ({ ...one, ...changed(one, i) })),
    diagnoses: [],
  }));
}

const HELD = { expect: 'Held', result: 'Held' } as const;
const { demo } = recordedRun();

const SOURCES: readonly (readonly [string, ReportSource])[] = [
  ['a violation that is expected', recordedRun()],
  ['no violation', ended(['Succeeded', 'ExpectationsMet'], { ...HELD, summary: '10/10' })],
  [
    'an accepted weakness',
    ended(['Succeeded', 'ExpectationsMet'], { ...HELD, summary: 'FailsOpen, 30 of 10 in 1.2 s' }),
  ],
  ['a violation that is not expected', ended(['Failed', 'UnexpectedViolation'], { expect: 'Held' })],
  ['no violation where one is expected', ended(['Failed', 'ViolationNotReproduced'], { result: 'Held' })],
  ['an inconclusive scenario', ended(['Errored', 'Inconclusive'], { result: 'Inconclusive' })],
  ['a violation without any fault', ended(['Failed', 'BaselineViolated'], {})],
  ['no expectation', ended(['Succeeded', 'ExpectationsMet'], { expect: 'Any' })],
  [
    'an inconclusive scenario next to a violation',
    ended(['Errored', 'Inconclusive'], (_, i) => (i === 0 ? { result: 'Inconclusive' } : {})),
  ],
  ['an abort', ended(['Aborted', 'Aborted'], { result: 'Inconclusive' })],
  ['missing evidence', { demo, missing: 'you may not read it' }],
];

/** The text of a page: without drawings, tables, style and markup. */
function textOf(html: string): string {
  return html
    .replaceAll(/<(style|svg|title|table)\b.*?<\/\1>/gs, '')
    .replaceAll(/<\/(p|li|h\d|tr|figcaption|summary|caption|header)>/g, '\n')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/(\n ?)+/g, '\n')
    .trim();
}

it.each(SOURCES)('the words of a report of %s', async (_, source) => {
  const report = reportOf(source) as Report;
  expect(report.headline).toMatchSnapshot('headline');
  expect(report.advice.map(({ text }) => text).join('\n')).toMatchSnapshot('advice');
  expect(report.missing.join('\n')).toMatchSnapshot('missing');
});

it('the words of a report in each format', async () => {
  const report = reportOf(recordedRun()) as Report;
  expect(FORMATS.markdown[1](report)).toMatchSnapshot('Markdown');
  expect(FORMATS.junit[1](report)).toMatchSnapshot('JUnit');
  expect(textOf(await FORMATS.html[1](report))).toMatchSnapshot('page');
});
