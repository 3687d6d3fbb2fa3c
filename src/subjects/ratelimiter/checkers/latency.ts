/** Latency: how long callers waited for answers before, during and after the fault. Figures without a bound. Pure. */
import type { Measure } from '../../../api/index.ts';
import { code } from '../../checkers/checker.ts';
import type { CallerRequest } from '../../history/events.ts';
import { inFault, outageFold } from './outage-seen.ts';

/** Latency of those answers to `requests` that came in time; undefined if none did. */
export function latencyOf(requests: readonly CallerRequest[]) {
  const answered = requests.filter(({ outcome }) => outcome !== 'Timeout');
  // Plain numbers sort ten times as fast as by a comparison function, and there may be a hundred thousand.
  const times = Float64Array.from(answered, ({ endedAt, sentAt }) => endedAt - sentAt).sort();
  if (times.length === 0) return undefined;
  return {
    p50Ms: times[Math.floor((times.length - 1) / 2)] ?? 0,
    maxMs: times.at(-1) ?? 0,
    answers: times.length,
  };
}

/** Never violated: no limit is set on latency. */
export const latency = {
  ...outageFold,
  name: 'latency',
  finding: inFault(({ phases }) => {
    const found = (['Before', 'During', 'After'] as const).map((phase) => {
      const key = phase.toLowerCase() as Lowercase<typeof phase>;
      const requests = phases[key].filter(({ caller }) => caller !== 'Control');
      return { phase, requests: requests.length, latency: latencyOf(requests) };
    });
    const measures = found.flatMap(({ latency: took, phase }): Measure[] =>
      took ? [{ name: `latency${phase}`, value: Math.round(took.p50Ms), unit: 'ms' }] : [],
    );
    return { measures, evidence: [code('Latency', { phases: found })] };
  }),
};
