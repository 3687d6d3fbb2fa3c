/** What the steps of a diagnosis cite, in short, as the history of its scenario has it. Pure. */
import { type Diagnosis, type ScenarioEvidence, SIGNALS } from '../evidence/index.ts';
import { componentName, round, seconds } from './report/plot.ts';

export interface Citation {
  readonly id: string;
  readonly text: string;
}

/** Each once, in the order of the steps; none of what the history lacks, or another version names otherwise. */
export function citationsOf(
  { chain, evidenceVersion }: Diagnosis,
  scenario: ScenarioEvidence,
): readonly Citation[] {
  if (evidenceVersion !== scenario.bundle.version) return [];
  const cited = new Set(chain.flatMap(({ evidence }) => evidence));
  return [...cited].flatMap((id) => {
    const text = citedText(scenario, id);
    return text === undefined ? [] : [{ id, text }];
  });
}

/** "store (cache-0) write-outstanding: 150 ms at +0.15 s, most 9748 at +9.75 s". */
function citedText(scenario: ScenarioEvidence, id: string): string | undefined {
  const { events, invariant, series } = scenario.bundle;
  const one = series.find((each) => each.id === id);
  if (one) {
    const { component, points, signal } = one;
    const [first, last] = [points[0], points.at(-1)];
    const most = points.reduce((a, b) => (b[1] > a[1] ? b : a), points[0] ?? [0, 0]);
    const parts = [first && `${round(first[1])} ${SIGNALS[signal].unit} at ${seconds(first[0])}`];
    if (most !== first && most !== last) parts.push(`most ${round(most[1])} at ${seconds(most[0])}`);
    if (last && last !== first) parts.push(`last ${round(last[1])} at ${seconds(last[0])}`);
    return `${componentName(scenario, component)} ${signal}: ${parts.join(', ')}`;
  }
  const event = events.find((each) => each.id === id);
  if (event) return `${seconds(event.atMs)} ${componentName(scenario, event.component)}: ${event.text}`;
  const judged = invariant?.values.find((each) => each.id === id);
  return judged && `${judged.name} = ${round(judged.value)}`;
}
