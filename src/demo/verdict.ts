/** What a run comes to. */
import type { ChaosDemoStatus, ScenarioStatus, Verdict } from '../api/index.ts';
import { LIMITS, truncate } from '../api/index.ts';
import type { Context } from './context.ts';

/** Whether a scenario ended as expected. Inconclusive meets no expectation, not even Any. */
export function asExpected({ expect, result }: ScenarioStatus): boolean {
  if (result === undefined || result === 'Inconclusive') return false;
  return expect === 'Any' || expect === result;
}

/** Writes into a status how many of its scenarios have met their expectation so far, of all: "1/2". */
export function countAsExpected(draft: ChaosDemoStatus): void {
  const scenarios = draft.scenarios ?? [];
  draft.scenariosAsExpected = scenarios.filter(asExpected).length;
  draft.scenarioCount = scenarios.length;
  draft.asExpected = `${draft.scenariosAsExpected}/${draft.scenarioCount}`;
}

/** What the scenarios measured, for the history: "outage Detected 30 > 5, surge ...". */
export function scenarioSummary({ scenarios = [] }: ChaosDemoStatus): string {
  const parts = scenarios.flatMap(({ name, result, summary }) =>
    result ? [`${name} ${result}${summary ? ` ${summary}` : ''}`] : [],
  );
  return truncate(parts.join(', '), 128);
}

/**
 * The verdict of a run that reached its last chapter. `restored` is what that
 * chapter has put right. Errored comes before Failed: where one scenario is
 * Inconclusive nothing is said about the subject as a whole.
 */
export function verdictOf({ demo, draft }: Context, restored: string): Verdict {
  const scenarios = draft.scenarios ?? [];
  const verdict = (phase: Verdict['phase'], reason: Verdict['reason'], message: string): Verdict => ({
    phase,
    reason,
    message: truncate(`${message}. ${restored}`, LIMITS.message),
  });
  if (demo.spec.dryRun)
    return verdict('Succeeded', 'DryRunPassed', 'Dry run: everything is ready, and nothing was injected');

  const inconclusive = scenarios.filter(({ result }) => result === undefined || result === 'Inconclusive');
  const unmet = scenarios.filter((scenario) => !asExpected(scenario) && !inconclusive.includes(scenario));
  // All that went wrong is named, not the first of it alone.
  const others = unmet.map(unmetSentence);
  if (inconclusive.length > 0) {
    const why = inconclusive.map(
      ({ message, name }) => `${name} is inconclusive: ${message ?? 'it has no result'}`,
    );
    return verdict('Errored', 'Inconclusive', [...others, ...why].join('; '));
  }
  const [first] = unmet;
  if (first) {
    const reason = first.expect === 'Detected' ? 'AnomalyNotReproduced' : 'UnexpectedAnomaly';
    return verdict('Failed', reason, others.join('; '));
  }
  return verdict('Succeeded', 'ExpectationsMet', `As expected: ${scenarioSummary(draft)}`);
}

function unmetSentence({ expect, name, result, summary }: ScenarioStatus): string {
  return `${name} ended ${result}${summary ? ` (${summary})` : ''}, expected ${expect}`;
}
