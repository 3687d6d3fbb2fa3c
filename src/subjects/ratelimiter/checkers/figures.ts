/** Figures without a bound: how long callers waited for answers, and requests that were counted although they were not admitted. The latter is derived in docs/research/limits.md. Pure. */

import { code, NOTHING } from '../../checkers/checker.ts';
import { admittedAt, firstOf } from '../../checkers/requests.ts';
import type { CallerRequest } from '../../history/events.ts';
import { mostOf } from '../limits/rate-limit.ts';
import { inFault, type OutageView } from './outage-seen.ts';

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
  name: 'latency',
  finding: inFault(({ phases }) => {
    const found = (['Before', 'During', 'After'] as const).map((phase) => {
      const key = phase.toLowerCase() as Lowercase<typeof phase>;
      const requests = phases[key].filter(({ caller }) => caller !== 'Control');
      return { phase, requests: requests.length, latency: latencyOf(requests) };
    });
    const measures = found.flatMap(({ latency: took, phase }) =>
      took ? [[`latency${phase}`, Math.round(took.p50Ms)] as const] : [],
    );
    return { measures: Object.fromEntries(measures), evidence: [code('Latency', { phases: found })] };
  }),
};

export const overCounted = {
  name: 'overCounted',
  finding: inFault((view) => {
    const { preparedAt } = view.settings;
    const drawn = view.requests.filter(({ caller, sentAt }) => caller === 'Drawn' && sentAt >= preparedAt);
    const known = [...Map.groupBy(drawn, ({ key }) => key).values()].flatMap(
      (own) => overCountedOf(view, own) ?? [],
    );
    const requests = known.reduce((sum, one) => sum + one, 0);
    if (known.length === 0) return NOTHING;
    const callers = known.filter((one) => one > 0).length;
    return {
      measures: { overCounted: requests },
      atLeast: ['overCounted'],
      evidence: [requests > 0 && code('OverCounted', { requests, callers, of: known.length })],
    };
  }),
};

/**
 * At least how many requests of one caller were counted and not admitted: those that its limit lacks when a limiter that
 * has settled rejects it. Undefined: it was not rejected then, or a window may have ended before.
 */
function overCountedOf(
  { settings: { clockWithinMs, plan }, span }: OutageView,
  own: readonly CallerRequest[],
): number | undefined {
  const settledAt = span.endedAt + plan.recoverMs;
  const rejected = own.find(({ outcome, sentAt }) => outcome === 'Rejected' && sentAt >= settledAt);
  if (!rejected) return undefined;
  const used = { from: firstOf(own), to: rejected.endedAt, fresh: true, clockWithinMs };
  const lasting = plan.rules.filter(({ algorithm }) => algorithm !== 'TokenBucket');
  if (mostOf(lasting, used) > plan.full) return undefined;
  const before = own.filter(({ sentAt }) => sentAt < rejected.sentAt);
  const admitted = before.filter((request) => admittedAt(request) !== undefined).length;
  return Math.min(before.length - admitted, Math.max(0, plan.full - admitted));
}
