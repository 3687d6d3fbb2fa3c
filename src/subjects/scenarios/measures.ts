/** Measures of scenarios in the API: their meanings by name, in order. */
import type { MeasureApi } from '../../api/index.ts';

export function measures(unit: string, meanings: Readonly<Record<string, string>>): MeasureApi[] {
  return Object.entries(meanings).map(([name, meaning]) => ({ name, unit, meaning }));
}

/** Those that only grow while the fault is observed. */
export function growing(...of: Parameters<typeof measures>): MeasureApi[] {
  return measures(...of).map((measure) => ({ ...measure, grows: true }));
}
