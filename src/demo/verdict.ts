/** What a run comes to. */
import type { ChaosDemoStatus, ScenarioStatus, Verdict } from '../api/index.ts';
import { LIMITS, truncate } from '../api/index.ts';
import type { Context } from './context.ts';

/** Whether a scenario ended as expected. Inconclusive meets no expectation, not even Any. */
function met({ expected, result }: ScenarioStatus): boolean {
  if (result === undefined || result === 'Inconclusive') return false;
  return expected === 'Any' || expected === result;
}

/** "1/2": scenarios that met their expectation so far, of all. */
export function expectedSoFar({ scenarios = [] }: ChaosDemoStatus): string {
  return `${scenarios.filter(met).length}/${scenarios.length}`;
}

/** What the scenarios measured, for the history: "counter-drift Detected 30 > 5, ghost-allowing ...". */
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
  if (demo.spec.dryRun) return verdict('Succeeded', 'DryRunPassed', 'Dry run: everything is ready for a run');

  const inconclusive = scenarios.find(({ result }) => result === undefined || result === 'Inconclusive');
  if (inconclusive) {
    const why = inconclusive.message ?? 'it has no result';
    return verdict('Errored', 'Inconclusive', `${inconclusive.name} is inconclusive: ${why}`);
  }
  const unmet = scenarios.find((scenario) => !met(scenario));
  if (unmet) {
    const reason = unmet.expected === 'Detected' ? 'AnomalyNotReproduced' : 'UnexpectedAnomaly';
    const figures = unmet.summary ? ` (${unmet.summary})` : '';
    return verdict(
      'Failed',
      reason,
      `${unmet.name} was expected ${unmet.expected} and ended ${unmet.result}${figures}`,
    );
  }
  return verdict('Succeeded', 'ExpectationsMet', `As expected: ${scenarioSummary(draft)}`);
}
