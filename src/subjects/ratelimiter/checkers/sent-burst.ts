/**
 * One burst: whether its requests were concurrent, and its admissions compared with what the limit allows in that span.
 * Pure.
 */

import { counted } from '../../../api/index.ts';
import type { FaultReport, InvariantReading } from '../../../demo/observed.ts';
import { overAdmission } from '../limits/over-admission.ts';
import {
  admittedAtOnce,
  mayCrossWindow,
  mostAdmitted,
  type RateLimit,
  type Span,
} from '../limits/rate-limit.ts';
import { perPod, atLeast as saturated } from '../words.ts';
import type { BurstResult } from './burst-result.ts';
import { countsText } from './requests.ts';

/**
 * Requests that are written within this time count as concurrent. It is a fraction of the interval at which limiters
 * share counts, and many times what the requests of a usual burst need.
 */
const TOGETHER_MS = 100;
/** At least this many requests are written by one process, so the bound grows with a burst of thousands. */
const REQUESTS_PER_MS = 20;

/** How far apart the first and the last request of a burst may be; milliseconds. */
export function togetherMs(requests: number): number {
  return Math.max(TOGETHER_MS, requests / REQUESTS_PER_MS);
}

/** Confirmed only if every request was admitted or rejected, and all were concurrent. Pure. */
export function reportOfBurst(burst: BurstResult, pods: number): FaultReport {
  const { requests, errors, timeouts, firstError } = burst;
  const sent = `${counted(requests, 'request')} over ${counted(pods, 'pod')}, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const came = outcomesOf(burst);
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
  const most = togetherMs(requests);
  if (burst.sendSpanMs > most) {
    return {
      ...common,
      proof: 'Inconclusive',
      message: `${sent}: ${came}. Only requests within ${most} ms are a burst: these prove nothing, since the pods could share their counts in that time. Give the operator more CPU, or send fewer requests`,
    };
  }
  if (errors + timeouts === 0) return { ...common, proof: 'Confirmed', message: `${sent}: ${came}` };
  return {
    ...common,
    proof: 'Inconclusive',
    message: `${sent}: ${came}. First: ${firstError ?? 'unknown'}`,
  };
}

/** "15 admitted, 5 rejected": every outcome in a burst. */
function outcomesOf(burst: Pick<BurstResult, 'admitted' | 'errors' | 'rejected' | 'timeouts'>): string {
  const { admitted: Admitted, errors, rejected: Rejected, timeouts: Timeout } = burst;
  return countsText({ Admitted, Rejected, Error: errors, Timeout });
}

/** The invariant of a burst, over signals of evidence. */
export const BURST_FORMULA = {
  text: 'sum(requests-admitted) <= bound',
  measured: 'sum(requests-admitted)',
  bound: 'bound',
} as const;

export interface BurstSettings {
  readonly limit: RateLimit;
  readonly pods: readonly string[];
  readonly clockWithinMs: number;
  /** Whether all bursts are of one caller, whose limit may also be used by others. */
  readonly oneCaller?: boolean;
}

/** From the first request of a burst to its last admission. */
function spanOf(
  { clockWithinMs }: Pick<BurstSettings, 'clockWithinMs'>,
  { admittedAt, startedAt }: Pick<BurstResult, 'admittedAt' | 'startedAt'>,
): Span {
  return { from: startedAt, to: admittedAt.at(-1) ?? startedAt, fresh: true, clockWithinMs };
}

/**
 * The most that a correct limiter admits from the first request of a burst to its last admission, with that time span.
 */
export function mostOfBurst(
  settings: BurstSettings,
  burst: Pick<BurstResult, 'admittedAt' | 'startedAt'>,
): { readonly at: number; readonly bound: number } {
  const span = spanOf(settings, burst);
  return { at: span.to, bound: mostAdmitted(settings.limit, span) };
}

/** The state of the invariant after one burst of a new caller; `now` is when it is judged. */
export function burstReading(settings: BurstSettings, burst: BurstResult, now: number): InvariantReading {
  const { clockWithinMs, limit, pods } = settings;
  const { admitted, admittedAt, admittedBy, rejected, errors, requests, sent, timeouts, ...times } = burst;
  const admissions = burst.outcomes
    .filter(({ outcome }) => outcome === 'Admitted')
    .map(({ endedAt: answeredAt, sentAt }) => ({ sentAt, answeredAt }));
  const known = { firstSentAt: times.startedAt, clockWithinMs };
  const over = overAdmission(limit, admissions, known);
  const { bound } = mostOfBurst(settings, { admittedAt, startedAt: times.startedAt });
  const broken = over.excess > 0;
  const atLeast = admitted > bound && admitted === requests;
  const open = errors + timeouts;
  const shortfalls: string[] = [];
  if (open > 0 && !broken && admitted + open > bound) {
    shortfalls.push(`${open} of ${counted(requests, 'request')} without a proper answer`);
  }
  const full = admittedAtOnce(limit);
  if (!broken && admitted < full) {
    shortfalls.push(
      settings.oneCaller
        ? `${admitted} were admitted where the limit allows ${full} at once, so it was not replenished: check which other client sends requests to these pods from the address of the operator`
        : `only ${admitted} of the ${full} that the limit allows were admitted, so the rate limiter was not seen at its limit`,
    );
  }
  if (!broken && admitted > full && mayCrossWindow(limit, spanOf(settings, burst))) {
    shortfalls.push(
      `${admitted} were admitted, and one window allows ${full}: a window may have ended during the burst, or the limit was not kept`,
    );
  }
  const spared = pods.filter((pod) => !sent.get(pod));
  if (spared.length > 0) shortfalls.push(`${spared.join(', ')} got no request`);
  if (!broken && requests <= bound) {
    shortfalls.push(
      `the burst had ${counted(requests, 'request')}, and in the ${Math.round(times.endedAt - times.startedAt)} ms that it took the limit allows ${bound}`,
    );
  }
  return {
    measures: [
      { name: 'admitted', value: admitted, bound, unit: 'requests', ...(atLeast && { atLeast }) },
      { name: 'requests', value: requests, unit: 'requests' },
      { name: 'rejected', value: rejected, unit: 'requests' },
      { name: 'errors', value: errors, unit: 'requests' },
      { name: 'timeouts', value: timeouts, unit: 'requests' },
    ],
    summary: `${saturated({ atLeast })}${admitted}/${bound}`,
    ...(broken && { brokenAt: Math.min(over.to, times.endedAt), detectedAt: now, provenAlone: true }),
    // No samples follow: the sender's count is final.
    watchedUntil: Number.MAX_SAFE_INTEGER,
    complete: true,
    shortfalls,
    evidence: [
      `Sender: ${counted(requests, 'request')}, ${outcomesOf(burst)}${admitted > 0 ? `; admitted by ${perPod(admittedBy)}` : ''}`,
      broken
        ? `Of those, ${over.admitted} were sent and answered within ${Math.round(over.to - over.from)} ms, in which the limit allows ${over.bound}`
        : `In the time that it took the limit allows ${bound}`,
    ],
  };
}
