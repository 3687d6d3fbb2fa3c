/** The text of a report of a finished run, from the object and its evidence, if there is any. Pure. */
import {
  type ChaosDemo,
  type ChaosDemoStatus,
  counted,
  endOf,
  formatDuration,
  type RunStatus,
  type Verdict,
  withPrintableTexts,
} from '../../api/index.ts';
import { numbered } from '../../engine/chapter.ts';
import { asExpected } from '../../engine/verdict.ts';
import type { RunEvidence } from '../../evidence/index.ts';
import { adviceOn } from '../advice.ts';
import { shownDiagnoses } from '../diagnosis.ts';
import { findingOf, findingText, gateOf } from '../finding.ts';
import type { Library } from '../libraries.ts';

/** The data of a run that could be read. */
export interface ReportSource {
  readonly demo: ChaosDemo;
  readonly evidence?: RunEvidence;
  /** The lines of its histories; '': there are none. */
  readonly history?: string;
  /** Why there is no evidence: a sentence without its end. */
  readonly missing?: string;
  /** The libraries that the project of the subject uses, if that is known. */
  readonly libraries?: readonly Library[] | undefined;
}

/** What is known of a run, even an active one. Every text is one line of printable characters, and untrusted: escape it. */
export type RunReport = NonNullable<ReturnType<typeof runReport>>;

/** The content of a report of a run that has ended. */
export type Report = RunReport & { readonly verdict: Verdict };

export type ScenarioReport = ReturnType<typeof scenarioReports>[number];

/** By the findings, whatever the gate decides. good: all good; bad: a weakness; none: unknown; active: no verdict yet. */
type Tone = 'good' | 'bad' | 'none' | 'active';

/** @returns undefined if no run of the object has ended, or another one is active */
export function reportOf(source: ReportSource): Report | undefined {
  const made = runReport(source);
  return made?.verdict && { ...made, verdict: made.verdict };
}

function toneOf(verdict: Verdict | undefined, scenarios: readonly ScenarioReport[]): Tone {
  if (!verdict) return 'active';
  const has = (tone: Tone) => scenarios.some(({ finding }) => finding.tone === tone);
  if (has('bad') || verdict.reason === 'BaselineViolated') return 'bad';
  return verdict.phase === 'Succeeded' && has('good') && !has('none') ? 'good' : 'none';
}

/** @returns undefined if no run of the object has begun */
export function runReport(source: ReportSource) {
  const { metadata, status = {} } = withPrintableTexts(source.demo);
  const { run } = status;
  if (!run) return undefined;
  const { evidence, missing } = matching(source, run);
  const verdict = endOf(status);
  const scenarios = scenarioReports(status, evidence, source.libraries);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    run,
    /** How long the run took: "48s"; '' if unknown. */
    took: tookOf(run),
    scenarios,
    chapters: numbered(status),
    /** The missing parts, a sentence each. */
    missing,
    evidence,
    /** undefined while it is active. */
    verdict,
    tone: toneOf(verdict, scenarios),
    /** The verdict in one sentence, or the active chapter. */
    headline: verdict ? headlineOf(verdict, scenarios) : (status.chapter ?? 'The run is about to begin'),
    message: verdict?.message ?? status.message ?? '',
    /** Why another run has not begun; '': none was requested. */
    pending: verdict && status.phase === 'Pending' ? (status.message ?? 'no reason is known') : '',
    /** Advice, the first step first. */
    advice: verdict ? adviceOf(verdict, scenarios) : [],
  };
}

/** Whether this is the evidence of the last run of the object. */
export function isOfRun(
  { demo, run }: Pick<RunEvidence, 'demo' | 'run'>,
  { metadata, status }: Pick<ChaosDemo, 'metadata' | 'status'>,
): boolean {
  return demo.uid === metadata.uid && run.number === status?.run?.number;
}

/** Ignores evidence of another object or run. */
function matching(
  { demo, evidence, missing = 'there is no evidence' }: ReportSource,
  run: RunStatus,
): { evidence: RunEvidence | undefined; missing: string[] } {
  if (!evidence || !isOfRun(evidence, demo)) {
    const why = evidence ? 'the evidence is of another run or object' : missing;
    const all = `The plots, and the responses of each pod, are missing: ${why}.`;
    return { evidence: undefined, missing: [withPrintableTexts(all)] };
  }
  const printable = withPrintableTexts(evidence);
  const isCut = !evidence.complete && run.phase !== undefined;
  const gaps = [
    ...(isCut ? ['The evidence ends before the run does: its last part was not written.'] : []),
    ...(printable.leftOut === '' ? [] : [`Left out of the evidence: ${printable.leftOut}.`]),
  ];
  return { evidence: printable, missing: gaps };
}

/** The scenarios of a run with their findings. @param evidence of that run */
export function scenarioReports(
  status: ChaosDemoStatus,
  evidence: RunEvidence | undefined,
  libraries?: readonly Library[],
) {
  const diagnoses = shownDiagnoses(status, evidence);
  return (status.scenarios ?? []).map((scenario, i) => {
    const diagnosis = diagnoses.find((one) => one.scenario === scenario.name);
    return {
      /** From 1, in the sequence of the spec. */
      number: i + 1,
      /** The type in words: "Counter Drift". */
      title: scenario.type.replaceAll(/([a-z0-9])(?=[A-Z])/g, '$1 '),
      status: scenario,
      asExpected: asExpected(scenario),
      finding: findingOf(scenario),
      /** The gate's decision, in a few words: "passed, accepted". */
      gate: gateOf(scenario),
      diagnosis,
      /** What to do; undefined: nothing. */
      advice: adviceOn(scenario, diagnosis, libraries),
      evidence: evidence?.scenarios.find(({ name }) => name === scenario.name),
    };
  });
}

function tookOf({ completedAt, startedAt }: RunStatus): string {
  const ms = Date.parse(completedAt ?? '') - Date.parse(startedAt);
  return ms >= 0 ? formatDuration(ms < 1000 ? ms : Math.round(ms / 1000) * 1000) : '';
}

function headlineOf({ message, phase, reason }: Verdict, scenarios: readonly ScenarioReport[]): string {
  const judged = scenarios.filter(({ status }) => status.result && status.result !== 'Inconclusive');
  const found = findingsOf(judged);
  if (phase === 'Aborted' || phase === 'Errored') {
    const what = phase === 'Aborted' ? 'the run was stopped' : 'the run could not be carried to its end';
    return `No verdict on the rate limiter: ${what} (${reason}).${found === '' ? '' : ` Found before that: ${found}.`}`;
  }
  if (phase === 'Failed') {
    const unmet = scenarios.filter(({ asExpected: met, status }) => !met && status.result !== undefined);
    // It fails already without a fault, as the verdict states first.
    if (unmet.length === 0) return `${message.split('. ', 1)[0]}. Gate failed.`;
    return `${findingsOf(scenarios)}. Gate failed: ${unmet.length} of ${counted(scenarios.length, 'scenario')} not as expected.`;
  }
  const isGate = scenarios.some(({ status }) => status.expect !== 'Any');
  return `${found}. ${isGate ? 'Gate passed' : 'No expectation was set'}.`;
}

/** "outage: FailsOpen, 30 of 10 admitted; burst: no violation". */
function findingsOf(scenarios: readonly ScenarioReport[]): string {
  return scenarios.map(({ status }) => `${status.name}: ${findingText(status)}`).join('; ');
}

/** Without a scenario, it is about the run. */
function adviceOf({ message, phase, reason }: Verdict, scenarios: readonly ScenarioReport[]) {
  const advice: { scenario?: string; text: string }[] = scenarios.flatMap(({ advice: text, status }) =>
    text === undefined ? [] : [{ scenario: status.name, text }],
  );
  const isOpen = phase === 'Errored' || phase === 'Aborted' || reason === 'BaselineViolated';
  if (isOpen && !scenarios.some(({ status }) => status.result === 'Inconclusive')) {
    advice.unshift({
      text:
        phase === 'Aborted'
          ? `For a verdict, run again. ${message}`
          : `Fix the cause and run again. ${message}`,
    });
  }
  if (advice.length > 0 || isOpen) return advice;
  return [{ text: 'Nothing: no weakness was found.' }];
}
