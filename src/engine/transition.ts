/** Which changes of a status are worth a write, and so a row of `kubectl get -w`. */
import { isDeepStrictEqual } from 'node:util';
import type { ChaosDemoStatus } from '../api/index.ts';

/**
 * Whether `after` differs from `before` in more than the figures and evidence of an existing result, and its
 * diagnosis. Those grow until the observation ends, and are written with the next transition; the verdict waits for the
 * last of them.
 */
export function isTransition(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): boolean {
  return !isDeepStrictEqual(withoutFigures(before), withoutFigures(after));
}

const NO_FIGURES = { atLeast: 0, bounds: 0, evidence: 0, measures: 0, summary: 0 };

function withoutFigures(status: ChaosDemoStatus | undefined): unknown {
  if (!status) return status;
  const scenarios = status.scenarios?.map((scenario) => ({ ...scenario, ...NO_FIGURES }));
  // The API server sorts a keyed list differently.
  const conditions = status.conditions?.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  const diagnoses = status.diagnoses?.map(({ scenario }) => scenario);
  // It repeats the results of the scenarios, with figures.
  const { result: _result, ...rest } = status;
  return { ...rest, scenarios, conditions, diagnoses };
}
