/**
 * Whether tokens are added at the rate in the spec. If the bucket is really slower, the spec allows more than the
 * limiter may admit, and a fault could hide in that difference.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted, formatDuration, span } from '../../../../api/index.ts';
import type { CallerRequest } from '../../../history/events.ts';
import type { RateLimit, TokenBucket } from '../../limits/rate-limit.ts';
import { type ExhaustOptions, exhaustLimit } from '../exhaust-limit.ts';
import { limitNotKept, overAdmissionOf } from './control-problem.ts';

/** How long the control waits for tokens; milliseconds. */
const MOST_WAIT_MS = 5000;
/** This many tokens reveal a rate that is wrong by half; fewer are within the rounding of limiters. */
const TOKENS = 4;

/**
 * Waits until tokens have been added for a caller that has exhausted its limit, and uses them up.
 * @param before the requests of that caller so far, the last of them rejected by every pod
 * @returns what was observed, or why it is unknown, in words
 * @throws InvariantBrokenError if more were added than the spec allows; Error if less than half were; the reason of
 * `signal`
 */
export async function controlRefill(
  limit: RateLimit,
  before: readonly CallerRequest[],
  options: ExhaustOptions,
  signal: AbortSignal,
): Promise<string> {
  const window = formatDuration(limit.windowMs);
  if (limit.algorithm !== 'TokenBucket') {
    return `Setup does not verify limit.window ${window}`;
  }
  const tokens = Math.min(TOKENS, limit.capacity);
  const waitMs = (tokens * limit.windowMs) / limit.requests + (limit.refillEveryMs ?? 0);
  if (waitMs > MOST_WAIT_MS) {
    return `Setup does not verify the refill of ${counted(limit.requests, 'request')} in ${window}: ${counted(tokens, 'request')} of it take ${formatDuration(Math.ceil(waitMs))}`;
  }
  await pauseFor(waitMs, signal);
  const after = await exhaustLimit(options, signal);
  if (after.failure) return `Setup does not verify the refill: ${after.failure.problem}`;
  const due = tokensDue(limit, before, after.requests);
  const seen = after.requests.filter(({ outcome }) => outcome === 'Admitted').length;
  const ms = Math.round((after.requests.at(-1)?.sentAt ?? 0) - (before.at(-1)?.endedAt ?? 0));
  const returned = `${counted(seen, 'request')} came back in ${span(ms)}`;
  const { excess } = overAdmissionOf(limit, [...before, ...after.requests]);
  const rate = `limit.requests ${limit.requests} in limit.window ${window}`;
  if (excess > 0) {
    throw limitNotKept(
      `without any fault ${returned} to a caller that had used its limit up, ${excess} more than ${rate} allows: the refill is faster`,
    );
  }
  if (seen < due / 2) {
    throw new Error(
      `without any fault ${returned} to a caller that had used its limit up, and by ${rate} ${due} had to: the refill is slower, so correct these fields`,
    );
  }
  return returned;
}

/** The fewest tokens that, by the spec, were added between the last rejection of a caller and its last one now. */
function tokensDue(
  { capacity, refillEveryMs = 0, requests, windowMs }: TokenBucket,
  before: readonly CallerRequest[],
  after: readonly CallerRequest[],
): number {
  const from = before.at(-1)?.endedAt ?? 0;
  const until = after.findLast(({ outcome }) => outcome === 'Rejected')?.sentAt ?? from;
  const ms = Math.max(0, until - from - refillEveryMs);
  return Math.min(capacity, Math.floor((ms * requests) / windowMs));
}
