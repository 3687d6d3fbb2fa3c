/** The verdict of a run. */
import type { ChaosDemoStatus, RunStatus, ScenarioStatus, Verdict } from '../api/index.ts';
import { LIMITS, REASON_GROUPS, truncate } from '../api/index.ts';
import type { Context } from './context.ts';

/** Whether a scenario ended as expected. Inconclusive meets no expectation, not even Any. */
export function asExpected({ expect, result }: ScenarioStatus): boolean {
  if (result === undefined || result === 'Inconclusive') return false;
  return expect === 'Any' || expect === result;
}

/** How many scenarios have met their expectation so far, of all: "1/2". */
export function countAsExpected({ scenarios = [] }: ChaosDemoStatus): string {
  return `${scenarios.filter(asExpected).length}/${scenarios.length}`;
}

/**
 * Result of each scenario so far: "first violated (34 > 10); second held"; without the figures if they take
 * more than `most` characters; '' before the first.
 */
export function resultOf({ scenarios = [] }: ChaosDemoStatus, most: number = LIMITS.result): string {
  const judged = scenarios.filter(({ result }) => result !== undefined);
  const texts = (withFigures: boolean): string =>
    judged
      .map(({ name, result = '', summary }) =>
        [`${name} ${result.toLowerCase()}`, ...(withFigures && summary ? [`(${summary})`] : [])].join(' '),
      )
      .join('; ');
  const whole = texts(true);
  return whole.length <= most ? whole : truncate(texts(false), most);
}

/**
 * The verdict of a run that reached its last chapter; `restored` describes what that chapter has restored. An
 * unexpected violation fails the run, even if something else is Inconclusive: no further result could undo the proof.
 * Otherwise one Inconclusive scenario leaves the run without a verdict on the subject.
 */
export function verdictOf({ draft, subject }: Pick<Context, 'draft' | 'subject'>, restored: string): Verdict {
  const scenarios = draft.scenarios ?? [];
  const verdict = (phase: Verdict['phase'], reason: string, message: string): Verdict =>
    endedBy(phase, reason, message, restored);
  const inconclusive = scenarios.filter(({ result }) => result === undefined || result === 'Inconclusive');
  const unmet = scenarios.filter((scenario) => !asExpected(scenario) && !inconclusive.includes(scenario));
  const why = inconclusive.map(
    ({ message, name }) => `${name} is inconclusive: ${message ?? 'it has no result'}`,
  );
  // Name all failures, not only the first.
  const sentences = [...unmet.map((scenario) => unmetClause(subject, scenario)), ...why].join('; ');
  if (unmet.some(isUnexpected)) return verdict('Failed', 'UnexpectedViolation', sentences);
  if (inconclusive.some(({ reason }) => reason === 'BaselineViolated'))
    return verdict('Failed', 'BaselineViolated', sentences);
  if (inconclusive.length > 0) {
    const detected = scenarios.filter((scenario) => scenario.result === 'Violated');
    return verdict(
      'Errored',
      'Inconclusive',
      [...detected.map((scenario) => detectedClause(subject, scenario)), sentences].join('; '),
    );
  }
  if (unmet.length > 0) return verdict('Failed', 'ViolationNotReproduced', sentences);
  const found = scenarios.map((scenario) => findingClause(subject, scenario)).join('; ');
  if (scenarios.every(({ expect }) => expect === 'Any')) {
    return verdict('Succeeded', 'NoExpectation', `${found}. No expectation was set`);
  }
  const isOfDemo = scenarios.every(({ expect }) => expect === 'Violated');
  const met = isOfDemo ? 'Expected by this demo' : 'As expected';
  return verdict('Succeeded', 'ExpectationsMet', `${found}. ${met}`);
}

/**
 * How a run ends that is stopped for this reason. A broken invariant is a finding; any other failure is no statement
 * about the subject.
 */
export function phaseOfStop(reason: RunStatus['reason']): Verdict['phase'] {
  if (reason === 'BaselineViolated') return 'Failed';
  return REASON_GROUPS.failure.some((failure) => failure === reason) ? 'Errored' : 'Aborted';
}

/**
 * The verdict of a run that is stopped before its last chapter. An unexpected violation proven by then makes a run
 * Failed instead of Errored.
 */
export function verdictOfStop(
  { draft, subject }: Pick<Context, 'draft' | 'subject'>,
  { message = '', reason = 'Aborted' }: { readonly [part in 'message' | 'reason']: string | undefined },
  restored: string,
): Verdict {
  const phase = phaseOfStop(reason);
  const proven = (draft.scenarios ?? []).filter(isUnexpected);
  if (phase !== 'Errored' || proven.length === 0) return endedBy(phase, reason, message, restored);
  const found = proven.map((scenario) => unmetClause(subject, scenario)).join('; ');
  return endedBy(
    'Failed',
    'UnexpectedViolation',
    `${found}. The run ended early (${reason}): ${message}`,
    restored,
  );
}

function endedBy(phase: Verdict['phase'], reason: string, message: string, restored: string): Verdict {
  return { phase, reason, message: truncate(`${message}. ${restored}`, LIMITS.message) };
}

/** A violation was proven, and none was expected. */
function isUnexpected({ expect, result }: ScenarioStatus): boolean {
  return expect === 'Held' && result === 'Violated';
}

/** The finding of a scenario: "gate: over-admits under concurrency (20/10)". */
function findingClause(
  { api }: Context['subject'],
  { name, result, summary = '', type }: ScenarioStatus,
): string {
  const fault = api.faults.find((known) => known.type === type);
  const known = fault && (result === 'Violated' || result === 'Held');
  return `${name}: ${known ? fault.finding(result, summary) : `${result} ${summary}`.trim()}`;
}

function detectedClause(subject: Context['subject'], scenario: ScenarioStatus): string {
  return `${findingClause(subject, scenario)}${scenario.expect === 'Violated' ? ', as expected' : ''}`;
}

function unmetClause(subject: Context['subject'], scenario: ScenarioStatus): string {
  return `${findingClause(subject, scenario)}, and ${scenario.expect} was expected`;
}
