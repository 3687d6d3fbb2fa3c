/** What the sender of a burst counted, held against what the limit allows in that span of time. Pure. */
import { truncate } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import type { Burst, Outcome } from '../../http/burst-plan.ts';
import type { FailureCode } from '../../http/connection.ts';
import type { Decision } from '../../interfaces/callers.ts';
import type { BurstResult } from '../../interfaces/reference/check-burst.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { mostAdmitted, type RateLimit } from '../../limits/rate-limit.ts';
import { counted, perNode, atLeast as saturated } from '../../words.ts';

export interface CallerSettings {
  readonly limit: RateLimit;
  readonly nodes: readonly string[];
  readonly clockWithinMs: number;
}

/** Requests after which nobody knows whether the node admitted them. */
const OPEN: ReadonlySet<FailureCode> = new Set(['RESET', 'TIMEOUT']);

const isAdmitted = ({ answer }: Outcome<Decision>): boolean => answer === 'Admitted';

/** The answers of a burst as its report has them. */
export function resultOfCaller({ endedAt, outcomes, sendSpanMs, startedAt }: Burst<Decision>): BurstResult {
  const sent = new Map<string, number>();
  const allowedBy = new Map<string, number>();
  let [denied, errors, unanswered] = [0, 0, 0];
  const firstFailed = outcomes.filter(({ failure }) => failure).toSorted((a, b) => a.endedAt - b.endedAt)[0];
  for (const outcome of outcomes) {
    const { answer, failure, node } = outcome;
    sent.set(node, (sent.get(node) ?? 0) + 1);
    if (failure && OPEN.has(failure.code)) unanswered += 1;
    else if (failure) errors += 1;
    else if (answer === 'Denied') denied += 1;
    else allowedBy.set(node, (allowedBy.get(node) ?? 0) + 1);
  }
  const allowedAt = outcomes.filter(isAdmitted).map((outcome) => outcome.endedAt);
  return {
    requests: outcomes.length,
    allowed: allowedAt.length,
    denied,
    errors,
    unanswered,
    otherWindow: 0,
    ...(firstFailed?.failure && {
      firstError: truncate(`${firstFailed.node}: ${firstFailed.failure.message}`, 200),
    }),
    startedAt,
    endedAt,
    sendSpanMs,
    sent,
    allowedBy,
    allowedAt: allowedAt.sort((a, b) => a - b),
  };
}

/** Where the invariant stands after one burst of a caller that was never seen before; `now` is when it is judged. */
export function callerReading(
  { clockWithinMs, limit, nodes }: CallerSettings,
  burst: Burst<Decision>,
  now: number,
): InvariantReading {
  const { allowed, allowedAt, allowedBy, denied, errors, requests, sent, unanswered, ...times } =
    resultOfCaller(burst);
  const admitted = burst.outcomes
    .filter(isAdmitted)
    .map(({ endedAt: answeredAt, sentAt }) => ({ sentAt, answeredAt }));
  const known = { firstSentAt: times.startedAt, clockWithinMs };
  const over = overAdmission(limit, admitted, known);
  // What a limiter in order admits at most in the time that the whole burst took.
  const bound = mostAdmitted(limit, {
    from: times.startedAt,
    to: allowedAt.at(-1) ?? times.startedAt,
    fresh: true,
    clockWithinMs,
  });
  const broken = over.excess > 0;
  const atLeast = allowed > bound && allowed === requests;
  const open = errors + unanswered;
  const shortfalls: string[] = [];
  if (open > 0 && !broken && allowed + open > bound) {
    shortfalls.push(
      `${open} of ${counted(requests, 'request')} ${open === 1 ? 'has' : 'have'} no proper answer`,
    );
  }
  const spared = nodes.filter((node) => !sent.get(node));
  if (spared.length > 0) shortfalls.push(`${spared.join(', ')} got no request`);
  if (!broken && requests <= bound) {
    shortfalls.push(
      `the burst had ${counted(requests, 'request')}, and in the ${Math.round(times.endedAt - times.startedAt)} ms that it took the limit allows ${bound}`,
    );
  }
  return {
    measures: [
      { name: 'admitted', value: allowed, bound, unit: 'requests', ...(atLeast && { atLeast }) },
      { name: 'requests', value: requests, unit: 'requests' },
      { name: 'denied', value: denied, unit: 'requests' },
      { name: 'unanswered', value: open, unit: 'requests' },
    ],
    summary: `${saturated({ atLeast })}${allowed}/${bound}`,
    ...(broken && { brokenAt: Math.min(over.to, times.endedAt), detectedAt: now }),
    watchedUntil: times.endedAt,
    complete: true,
    shortfalls,
    evidence: [
      `Sender: ${counted(requests, 'request')}, ${allowed} allowed (${perNode(allowedBy)}), ${denied} denied, ${counted(errors, 'error')}, ${unanswered} unanswered`,
      broken
        ? `Of those, ${over.admitted} were sent and answered within ${Math.round(over.to - over.from)} ms, in which the limit allows ${over.bound}`
        : `In the time that it took the limit allows ${bound}`,
    ],
  };
}
