/** The places in the plots of a scenario that a diagnosis cites. Pure. */
import type {
  Diagnosis,
  EvidenceBundle,
  EvidenceSeries,
  ScenarioEvidence,
  Signal,
} from '../../evidence/index.ts';
import {
  type Cite,
  componentName,
  joinedOf,
  MAX_PODS,
  type Plot,
  type PlotKey,
  type PlotLine,
} from './plot.ts';

/** Ids that the steps of a diagnosis cite, by their first citation. */
export function citedIds(chain: Diagnosis['chain']): string[] {
  return [...new Set(chain.flatMap(({ evidence }) => evidence))].filter((id) =>
    /^[sev][1-9][0-9]{0,3}$/.test(id),
  );
}

/** The plot that shows a signal of a replica or the store; undefined: none does. */
function plotFor({ component, signal }: EvidenceSeries): PlotKey | undefined {
  if (signal === 'connections-made') return undefined;
  if (signal === 'arrivals') return 'arrivals';
  if (signal === 'count-stored' || signal === 'count-lag') return 'counts';
  if (signal.startsWith('requests-') || signal.startsWith('others-')) return 'answers';
  if (signal === 'newcomer-admitted' || signal === 'limit' || signal === 'admitted-elsewhere')
    return 'answers';
  return component.startsWith('replica') ? 'replicas' : 'store';
}

/** Adds the places of citations. A cited series of one pod is drawn even if the plot would only show the sum. */
export function withCites(
  plots: readonly Plot[],
  scenario: ScenarioEvidence,
  chain: Diagnosis['chain'],
): Plot[] {
  const ids = citedIds(chain);
  const cited = scenario.bundle.series.filter(({ id }) => ids.includes(id));
  return plots.map((plot, i) => {
    const mine = cited.filter((series) => plotFor(series) === plot.key);
    const missing = mine.filter(
      ({ points, signal }) => signal !== 'limit' && !plot.lines.some((line) => line.points === points),
    );
    const drawn = missing.slice(0, MAX_PODS).map(
      ({ component, points, signal }): PlotLine => ({
        name: nameOf(scenario, component, signal),
        colour: signal === 'count-lag' ? 2 : 'faint',
        points,
        joined: joinedOf(signal),
        holds: signal.startsWith('requests-') || signal.startsWith('others-'),
      }),
    );
    // A citation without a plot of its own is shown in the first plot.
    const moments = i === 0 && plot.key !== 'arrivals' ? momentsOf(scenario.bundle, ids) : [];
    const cites = [...mine.map((series) => placeOf(series, plot)), ...moments].map((cite) => ({
      ...cite,
      atMs: Math.min(plot.toMs, Math.max(plot.fromMs, cite.atMs)),
    }));
    return { ...plot, lines: [...drawn, ...plot.lines], cites };
  });
}

function nameOf(scenario: ScenarioEvidence, component: string, signal: Signal): string {
  if (signal === 'count-lag') return 'the store was behind, at most, while all was well';
  return `${componentName(scenario, component)} ${signal.replaceAll('-', ' ')}`;
}

function placeOf({ id, points }: EvidenceSeries, { lines }: Plot): Cite {
  const [atMs, value] = points.reduce((a, b) => (b[1] > a[1] ? b : a));
  const row = lines.find((line) => line.points === points)?.row;
  return { id, atMs, value: row ? row.at : value };
}

function momentsOf({ events, invariant }: EvidenceBundle, ids: readonly string[]): Cite[] {
  const all = [
    ...events.map(({ atMs, id }) => ({ atMs, id })),
    ...(invariant?.values ?? []).map(({ id }) => ({ atMs: invariant?.brokenAtMs ?? 0, id })),
  ];
  return all.filter(({ id }) => ids.includes(id));
}
