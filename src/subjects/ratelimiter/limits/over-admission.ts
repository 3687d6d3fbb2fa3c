/**
 * How many requests were admitted over the limit, by the sender's own count only: it needs no cooperation of the
 * limiter. Pure.
 */
import type { Sent } from './counting.ts';
import { admittedAtOnce, mostAdmitted, mostOf, type Rules, type Span } from './rate-limit.ts';

/** An admitted request: the limiter decided between the two moments, in milliseconds by one clock. */
export type AdmittedRequest = Pick<Sent, 'endedAt' | 'sentAt'>;

export type OverAdmission = Readonly<ReturnType<typeof overAdmission>>;

/** Starts of spans that are tried, so that ten thousand requests cost no more than a few milliseconds. */
const MOST_BEGINNINGS = 128;

export interface KnownOfKey {
  /** When the first request of the key was sent, whatever its outcome. */
  readonly firstSentAt: number;
  /** When it was sent again after all that had been counted was forgotten; left out: not known. */
  readonly againAt?: number;
  /** How far the limiter's clock may be from ours, in milliseconds; undefined: not known. */
  readonly clockWithinMs?: number | undefined;
  /** Rules that bound it; default: those of the limit. A window may be shorter than is stated. */
  readonly bounds?: Rules;
  /** The bound of several rules; default: of the one that admits most. */
  readonly boundOf?: typeof mostOf;
  /** How many servers count separately, each of which admits what the limit allows; default: 1. */
  readonly servers?: number;
}

/**
 * The span in which most requests were admitted over what the rules allow there. A request counts for a span only if it
 * was sent and answered within it, so the true over-admission may be larger, never smaller.
 */
export function overAdmission(
  rules: Rules,
  requests: readonly AdmittedRequest[],
  { againAt = Infinity, boundOf = mostOf, bounds = rules, firstSentAt, servers = 1, ...clock }: KnownOfKey,
) {
  const byAnswer = requests.toSorted((a, b) => a.endedAt - b.endedAt);
  let most = {
    /** Requests over the bound in the span that shows most of them; 0: the limit may have been kept. */
    excess: -Infinity,
    /** Requests admitted within that span, and the most that the limit allows there. */
    admitted: 0,
    bound: 0,
    /** Milliseconds since the epoch; both 0 if nothing was admitted. */
    from: 0,
    to: 0,
    /** When, since `from`, the first request over the bound had its answer; undefined: there was none. */
    exceededAt: undefined as number | undefined,
  };
  const least = servers * admittedAtOnce(rules);
  for (const { from, sent } of beginnings(requests)) {
    // Every bound is at least this large, so no span that begins here shows more.
    if (sent - least <= most.excess) continue;
    const unusedAt = from >= againAt ? againAt : Math.min(firstSentAt, from);
    let admitted = 0;
    let exceededAt: number | undefined;
    for (const { endedAt: to, sentAt } of byAnswer) {
      if (sentAt < from) continue;
      admitted += 1;
      const bound =
        servers *
        Math.min(
          boundOf(bounds, { from, to, ...clock }),
          // What was admitted since `from` was admitted since a use of the key when it was fresh.
          boundOf(bounds, { from: unusedAt, to, ...clock, fresh: true }),
        );
      const excess = admitted - bound;
      if (excess > 0) exceededAt ??= to;
      if (excess <= most.excess) continue;
      most = { excess, admitted, bound, from, to, exceededAt };
    }
  }
  // What a caller was promised for that time: the limit in each window from the first request, or a bucket.
  const promised = promisedIn(rules, most);
  return { ...most, promised, excess: Math.max(0, most.excess) };
}

function promisedIn(rules: Rules, { from, to }: Span): number {
  const [rule, ...others] = rules;
  if (!rule) return 0;
  const isBucket = rule.algorithm === 'TokenBucket' && others.length === 0;
  const promise = isBucket ? rule : ({ ...rule, algorithm: 'FixedWindow', start: 'FirstRequest' } as const);
  return mostAdmitted(promise, { from, to, fresh: true });
}

/** Starts of spans, each with the number of requests that were sent from then on. */
function beginnings(requests: readonly AdmittedRequest[]) {
  const sentAts = requests.map(({ sentAt }) => sentAt).sort((a, b) => a - b);
  const all = sentAts.flatMap((from, i) =>
    from === sentAts[i - 1] ? [] : [{ from, sent: sentAts.length - i }],
  );
  if (all.length <= MOST_BEGINNINGS) return all;
  const step = all.length / MOST_BEGINNINGS;
  return Array.from({ length: MOST_BEGINNINGS }, (_, i) => all[Math.floor(i * step)] ?? { from: 0, sent: 0 });
}
