/** The measures of a scenario, as people read them: in the order of the reference, with their units. Pure. */
import { DETECTED_AFTER, RECOVERED_AFTER, type ScenarioStatus } from '../api/index.ts';
import { KINDS } from '../subjects/index.ts';

const FAULTS = KINDS.flatMap(({ api }) => api.faults);
/** The measures of every type. */
const TIMES = [DETECTED_AFTER, RECOVERED_AFTER].map((name) => ({ name, unit: 'ms' }));

/** Name, value and unit of each, that of the invariant first. What the reference lacks comes last, without a unit. */
export function measuresOf({ measures = {}, type }: ScenarioStatus) {
  const known = [...(FAULTS.find((fault) => fault.type === type)?.measures ?? []), ...TIMES];
  const units = new Map(known.map(({ name, unit }) => [name, unit]));
  return [...new Set([...units.keys(), ...Object.keys(measures)])].flatMap((name) => {
    const value = measures[name];
    return value === undefined ? [] : [{ name, value, unit: units.get(name) ?? '' }];
  });
}
