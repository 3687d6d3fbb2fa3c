/**
 * The finding of a scenario, and whether the gate accepts it: two things, since a spec may expect or accept a weakness.
 * Colours depend only on the finding. Pure.
 */
import { type ChaosDemoStatus, measureInWords, type ScenarioStatus } from '../api/index.ts';
import { asExpected } from '../engine/verdict.ts';
import { measuresOf } from './measures.ts';

export interface ShownFinding {
  /** good: the subject behaves well; bad: a weakness, accepted or not; none: inconclusive. */
  readonly tone: 'good' | 'bad' | 'none';
  /** In a word or two: "FailsOpen", "violation". */
  readonly word: string;
  /** With its figure: "30 of 10 admitted"; '': there is none. */
  readonly figure: string;
}

/** Behaviours, as the first words of a scenario's summary: those that are good, and those that are not. */
const GOOD = ['Denies', 'Enforces', 'Excludes', 'FailsClosed'];
const BAD = ['DoubleGrants', 'FailsOpen', 'Forgets', 'Hangs', 'Mixed'];

export function findingOf(status: ScenarioStatus): ShownFinding {
  const { measures, reason, result, summary = '' } = status;
  const [measure] = measuresOf(status);
  // "FailsOpen, 30 of 10 in 1.2 s", "FailsOpen; no recovery in 5s".
  const [, word = '', over, after] =
    /^(?:>= )?([A-Z][A-Za-z]+)(?:, ([^;]*))?(?:; (.*))?$/.exec(summary) ?? [];
  const known = GOOD.includes(word) ? 'good' : BAD.includes(word) ? 'bad' : undefined;
  // Over-admission, or no recovery, is a weakness whatever callers got in the fault.
  const tone = known && (after !== undefined || over !== undefined) ? 'bad' : known;
  const isNeutral = result === 'Violated' || (measures?.['serverErrors'] ?? 0) > 0;
  const figure = tone
    ? [behaviourFigure(over, status), after].filter((part) => part).join('; ')
    : measure
      ? measureInWords(measure.name, status, measure.unit)
      : summary;
  if (result === undefined) return { tone: 'none', word: 'not tested', figure: '' };
  if (result === 'Inconclusive') {
    const seen = tone ? [word, figure].filter(Boolean).join(', ') : figure;
    return reason === 'BaselineViolated'
      ? { tone: 'bad', word: 'violation before the fault', figure: seen }
      : { tone: 'none', word: 'inconclusive', figure: seen };
  }
  if (tone) {
    // A behaviour that is good in general, but was not accepted here or crashed, is neutral.
    return { tone: tone === 'good' && isNeutral ? 'none' : tone, word, figure };
  }
  return result === 'Violated'
    ? { tone: 'bad', word: 'violation', figure }
    : { tone: 'good', word: 'no violation', figure };
}

/** Of "30 of 10 in 1.2 s", the admitted requests; else the requests of callers under their limit that were not admitted. */
function behaviourFigure(over: string | undefined, status: ScenarioStatus): string {
  const [, admitted, within] = /^(\d+ of \d+)( in .+)$/.exec(over ?? '') ?? [];
  return admitted === undefined ? (notAdmittedText(status) ?? '') : `${admitted} admitted${within}`;
}

/** How many requests of callers under their limit were not admitted, and what they got; undefined: all were. */
export function notAdmittedText({ evidence, measures = {} }: ScenarioStatus): string | undefined {
  const { notAdmitted = 0, underLimit = 0 } = measures;
  if (notAdmitted === 0) return undefined;
  // The sentence about them begins with these figures.
  const figures = `${notAdmitted} of ${underLimit} `;
  const found = evidence?.find((each) => each.startsWith(figures));
  return found ?? `${figures}requests under the limit were not admitted`;
}

/** "FailsOpen, 30 of 10 admitted in 1.2 s". */
export function findingText(status: ScenarioStatus): string {
  const { figure, word } = findingOf(status);
  return figure === '' ? word : `${word}, ${figure}`;
}

/** Without the word for a result: "FailsOpen, 30 of 10 admitted", "drift at least 30 requests, at most 8 allowed". */
export function figureText(status: ScenarioStatus): string {
  const { figure, word } = findingOf(status);
  return [...GOOD, ...BAD].includes(word) ? findingText(status) : figure;
}

/** Whether a finding is a weakness that the spec accepts: the gate passes, but the subject is not healthy. */
export function isAccepted(status: ScenarioStatus): boolean {
  return status.result === 'Held' && findingOf(status).tone === 'bad';
}

/** How many scenarios ended as expected, of those with an expectation: "1/2 as expected". */
export function expectedText({ scenarios = [] }: ChaosDemoStatus): string {
  const expecting = scenarios.filter(({ expect }) => expect !== 'Any');
  const others = scenarios.length - expecting.length;
  const count = `${expecting.filter(asExpected).length}/${expecting.length} as expected`;
  if (others === 0) return count;
  return expecting.length === 0 ? 'no expectation' : `${count}, ${others} without expectation`;
}

/** The gate's decision, in a few words. */
export function gateOf(status: ScenarioStatus): string {
  const { expect, reason, result } = status;
  if (result === undefined) return 'not tested';
  if (reason === 'BaselineViolated') return 'failed';
  if (result === 'Inconclusive') return 'no verdict';
  if (expect === 'Any') return 'no expectation';
  if (!asExpected(status)) return expect === 'Violated' ? 'failed, a violation was expected' : 'failed';
  if (expect === 'Violated') return 'passed, as the demo expects';
  return isAccepted(status) ? 'passed, accepted' : 'passed';
}
