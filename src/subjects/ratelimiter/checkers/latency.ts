/** Latency: how long callers waited for answers before, during and after the fault. Figures without a bound. Pure. */
import type { Measure } from '../../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import type { Finding } from './finding.ts';
import type { Phases } from './requests.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly maxMs: number;
  readonly answers: number;
}

/** Latency of those answers to `requests` that came in time; undefined if none did. */
export function latencyOf(requests: readonly CallerRequest[]): Latency | undefined {
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

/** The finding, which is always valid: no limit is set on latency. */
export function checkLatency({ after, before, during }: Phases): Finding {
  const phases = [
    { name: 'latencyBefore', when: 'before the fault', requests: before },
    { name: 'latencyDuring', when: 'during it', requests: during },
    { name: 'latencyAfter', when: 'after it', requests: after },
  ].map((phase) => {
    const requests = phase.requests.filter(({ caller }) => caller !== 'Control');
    return { ...phase, requests, latency: latencyOf(requests) };
  });
  const measures = phases.flatMap(({ latency, name }): Measure[] =>
    latency ? [{ name, value: Math.round(latency.p50Ms), unit: 'ms' }] : [],
  );
  const took = phases.flatMap(({ latency, requests: { length }, when }) => {
    if (!latency) return [];
    const { answers, maxMs, p50Ms } = latency;
    const came = answers < length ? `; ${answers} of ${length} came in time` : '';
    return [`${p50Ms.toFixed(1)} ms (slowest ${Math.round(maxMs)} ms${came}) ${when}`];
  });
  const none = phases
    .filter(({ latency }) => !latency)
    .map(
      ({ requests, when }) =>
        `${when} ${requests.length > 0 ? 'no request was answered in time' : 'no request was sent'}`,
    );
  const text = [...(took.length > 0 ? [`Answers took ${took.join(', ')}`] : []), ...none].join('; ');
  return { valid: true, measures, missing: [], evidence: [text] };
}
