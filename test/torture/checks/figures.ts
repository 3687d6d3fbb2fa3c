/** Every figure and every result of a status is what was seen. */
import { BURST_SCENARIO, OUTAGE_SCENARIO } from '../settings.ts';
import { burstFigures } from './burst-figures.ts';
import { driftFigures } from './drift-figures.ts';
import { outageFigures } from './outage-figures.ts';
import type { Reported } from './reported.ts';
import type { Seen, Wrong } from './seen.ts';

const FIGURES: Readonly<Record<string, (reported: Reported) => string[]>> = {
  [BURST_SCENARIO]: burstFigures,
  [OUTAGE_SCENARIO]: outageFigures,
};

export function checkFigures(seen: Seen): Wrong[] {
  const { lane, name, record } = seen;
  const versions = record.of('version', lane).filter(({ object }) => object.metadata.name === name);
  const last = versions.at(-1);
  if (!last) return [];
  // A fixture is gone from the status when the run has ended.
  const faults = versions.flatMap(({ object }) => (object.status?.scenarios ?? []).map(({ fault }) => fault));
  const { phase, scenarios = [] } = last.object.status ?? {};
  // What was under way when a run was stopped is left where it stood.
  if (phase === 'Aborted') return [];
  return scenarios.flatMap((scenario) => {
    const { fixture: key } = faults.find((one) => one?.fixture && one.id === scenario.fault?.id) ?? {};
    const reported: Reported = { seen, scenario, key };
    const figures = FIGURES[scenario.name] ?? driftFigures;
    const messages = figures(reported);
    const at = scenario.fault ? Date.parse(scenario.fault.plannedAt) : last.at;
    return messages.map((message) => ({ check: `figures of ${scenario.name}`, lane, at, message }));
  });
}
