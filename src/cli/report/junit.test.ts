import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedRun, withTextsOf } from '../../../test/fixtures/cli/report/report.ts';
import { hostile } from '../../../test/fixtures/cli/view/hostile-text.ts';
import { printable, type ScenarioStatus, type Verdict } from '../../api/index.ts';
import { reportJunit } from './junit.ts';
import { type Report, type ReportSource, reportOf } from './report.ts';

const xml = (source: ReportSource) => {
  const text = reportJunit(reportOf(source) as Report);
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml');
  return { text, all: (name: string) => [...document.getElementsByTagName(name)] };
};

/** The run, had its first scenario ended so. */
function runThat(scenario: Partial<ScenarioStatus>, verdict: Verdict): ReportSource {
  const { demo } = recordedRun();
  const [first, ...others] = demo.status?.scenarios ?? [];
  const run = demo.status?.run;
  if (!first || !run) throw new Error('no run');
  const scenarios = [{ ...first, ...scenario }, ...others];
  return { demo: { ...demo, status: { ...demo.status, run: { ...run, ...verdict }, scenarios } } };
}

describe('JUnit XML', () => {
  // https://github.com/jenkinsci/xunit-plugin, junit-10.xsd: the schema that permits least.
  it.each([
    ['testsuites', ['name', 'time', 'tests', 'failures', 'errors']],
    [
      'testsuite',
      ['name', 'tests', 'failures', 'errors', 'time', 'skipped', 'timestamp', 'hostname', 'id', 'package'],
    ],
    ['property', ['name', 'value']],
    ['testcase', ['name', 'time', 'classname', 'group']],
    ['skipped', ['type', 'message']],
    ['failure', ['type', 'message']],
    ['error', ['type', 'message']],
    ['system-out', []],
  ])('has attributes of <%s> that Jenkins accepts', (name, permitted) => {
    const verdict: Verdict = { phase: 'Failed', reason: 'UnexpectedViolation', message: 'it broke' };
    const sources = [
      runThat({ expect: 'Held' }, verdict),
      runThat({ result: 'Inconclusive' }, verdict),
      runThat({ result: undefined }, verdict),
    ];
    const elements = sources.flatMap((source) => xml(source).all(name));
    expect(elements.length).toBeGreaterThan(0);
    const used = elements.flatMap((element) => [...element.attributes].map((one) => one.name));
    expect([...new Set(used)].filter((one) => !permitted.includes(one))).toEqual([]);
  });

  it('fails a case that did not end as expected', () => {
    const { all } = xml(
      runThat(
        { expect: 'Held', reason: 'Violated' },
        { phase: 'Failed', reason: 'UnexpectedViolation', message: 'it broke' },
      ),
    );
    expect(all('failure')).toHaveLength(1);
    expect(all('error')).toHaveLength(0);
    expect(all('failure')[0]?.getAttribute('message')).toMatch(
      /^counter-drift .*violation, .*; gate failed: /,
    );
    expect(all('testsuites')[0]?.getAttribute('failures')).toBe('1');
  });

  it('has an error for what could not be judged, and for a run without a verdict', () => {
    const { all } = xml(
      runThat(
        { result: 'Inconclusive', reason: 'FaultNotProven', message: 'no probe felt it' },
        { phase: 'Errored', reason: 'Inconclusive', message: 'why' },
      ),
    );
    expect(all('error').map((one) => one.getAttribute('type'))).toEqual(['FaultNotProven', 'Inconclusive']);
    expect(all('failure')).toHaveLength(0);
  });

  it('is well-formed, and says the same texts, whatever they are', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { all, text: written } = xml(withTextsOf(recordedRun(), `x${text}`));
        expect(written).not.toMatch(/[^\P{Cc}\n]|##\[/u);
        const runId = all('property').find((one) => one.getAttribute('name') === 'runId');
        expect(runId?.getAttribute('value')).toBe(printable(`x${text}`));
      }),
      { numRuns: 60 },
    );
  });
});
