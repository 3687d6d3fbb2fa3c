/** The measures of a scenario, as people read them: in the order of the reference, with their units. Pure. */
import { DETECTED_AFTER, RECOVERED_AFTER, type ScenarioStatus, unitOf } from '../api/index.ts';
import { KINDS } from '../subjects/index.ts';

const FAULTS = KINDS.flatMap(({ api }) => api.faults);
/** The measures of every type. */
const TIMES = [DETECTED_AFTER, RECOVERED_AFTER].map((name) => ({ name, unit: 'ms' }));

/** Name and unit of each, that of the invariant first. What the reference lacks comes last, without a unit. */
export function measuresOf({ measures = {}, type }: ScenarioStatus) {
  const known = [...(FAULTS.find((fault) => fault.type === type)?.measures ?? []), ...TIMES];
  const names = new Set([...known.map(({ name }) => name), ...Object.keys(measures)]);
  const measured = [...names].filter((name) => measures[name] !== undefined);
  return measured.map((name) => ({ name, unit: unitOf(name, known) }));
}
