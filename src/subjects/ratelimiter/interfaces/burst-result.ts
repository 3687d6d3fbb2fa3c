/** What came of a burst of requests that a limiter counts, whatever it speaks. Pure. */
import { truncate } from '../../../api/index.ts';
import type { Burst } from '../http/burst-plan.ts';
import type { FailureCode } from '../http/failure.ts';
import type { Got } from './caller-request.ts';
import type { Decision } from './callers.ts';

export interface BurstResult {
  readonly requests: number;
  /** Answers that said yes, in the key's window. */
  readonly allowed: number;
  readonly denied: number;
  /** Requests answered with an error, not sent, or answered for another window. */
  readonly errors: number;
  /** Requests without an answer in time: may have been admitted or not. */
  readonly unanswered: number;
  /** Answers for another window; part of `errors`. */
  readonly otherWindow: number;
  /** What the first error or unanswered request said. */
  readonly firstError?: string;
  /** When the first request was written, and when the last answer was there. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From writing the first request to writing the last, at most; milliseconds. */
  readonly sendSpanMs: number;
  readonly sent: ReadonlyMap<string, number>;
  readonly allowedBy: ReadonlyMap<string, number>;
  /** When each allowed answer arrived, in order. */
  readonly allowedAt: readonly number[];
  /** Each request by itself; what was not sent is left out. */
  readonly outcomes: readonly BurstOutcome[];
}

/** One request of a burst, and what became of it; moments in milliseconds since the epoch. */
export interface BurstOutcome {
  readonly node: string;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly got: Got;
}

/** Requests after which nobody knows whether the node admitted them. */
const OPEN: ReadonlySet<FailureCode> = new Set(['RESET', 'TIMEOUT', 'NO_ROOM']);
/** Requests that never left. */
const UNSENT: ReadonlySet<FailureCode> = new Set(['NOT_SENT', 'NO_CONNECTIONS', 'UNREACHABLE']);

/**
 * @param says what an answer means: a decision, or the other window that it is about
 * @param asked what messages call the request, where that is worth saying: "POST /check"
 */
export function burstResultOf<T>(
  { endedAt, outcomes, sendSpanMs, startedAt }: Burst<T>,
  says: (answer: T) => Decision | { readonly otherWindow: string },
  asked?: string,
): BurstResult {
  const counts = { allowed: 0, denied: 0, errors: 0, unanswered: 0, otherWindow: 0 };
  const sent = new Map<string, number>();
  const allowedBy = new Map<string, number>();
  const allowedAt: number[] = [];
  const each: BurstOutcome[] = [];
  let first: { readonly at: number; readonly error: string } | undefined;
  const failed = (at: number, error: string): void => {
    if (!first || at < first.at) first = { at, error };
  };
  for (const { node, sentAt, endedAt: at, answer, failure } of outcomes) {
    sent.set(node, (sent.get(node) ?? 0) + 1);
    const end = (got: Got): unknown => each.push({ node, sentAt, endedAt: at, got });
    if (failure) {
      const open = OPEN.has(failure.code);
      counts[open ? 'unanswered' : 'errors'] += 1;
      if (!UNSENT.has(failure.code)) end(open ? 'Unanswered' : 'Failed');
      failed(at, [node, ...(asked === undefined ? [] : [asked]), failure.message].join(': '));
      continue;
    }
    const said = says(answer);
    end(typeof said === 'string' ? said : 'Failed');
    if (said === 'Denied') counts.denied += 1;
    else if (said === 'Admitted') {
      counts.allowed += 1;
      allowedAt.push(at);
      allowedBy.set(node, (allowedBy.get(node) ?? 0) + 1);
    } else {
      counts.errors += 1;
      counts.otherWindow += 1;
      failed(at, `${node} answered for window ${said.otherWindow}`);
    }
  }
  return {
    requests: outcomes.length,
    ...counts,
    ...(first && { firstError: truncate(first.error, 200) }),
    startedAt,
    endedAt,
    sendSpanMs,
    sent,
    allowedBy,
    allowedAt: allowedAt.sort((a, b) => a - b),
    outcomes: each,
  };
}
