/** The metrics of the operator about the rate limiters under test: how many requests were admitted over the limit. */
import type { HistogramApi, ScenarioStatus } from '../../api/index.ts';

/** By the first of these measures that a scenario has: over-admission itself, or the worst burst against the limit. */
export const OVER_ADMISSION: HistogramApi = {
  name: 'over_admission_requests',
  help: 'Requests admitted beyond the limit in a scenario that ended Violated or Held, by type. If a measure has atLeast, the true figure may be higher.',
  buckets: [0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000],
  of: ({ measures = [] }) => {
    const over = valueOf(measures, 'overAdmission');
    if (over) return Math.max(0, over.value);
    const admitted = valueOf(measures, 'admitted');
    return admitted?.bound === undefined ? undefined : Math.max(0, admitted.value - admitted.bound);
  },
};

function valueOf(measures: NonNullable<ScenarioStatus['measures']>, name: string) {
  return measures.find((measure) => measure.name === name);
}
