/** The outcome of one request of a caller, by its answer. Pure. */
import { messageOf } from '../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import type { HttpAnswer } from './answer.ts';
import type { Exchange } from './connection.ts';
import type { Failure, FailureCode } from './failure.ts';
import type { RequestResult } from './pod-client.ts';

/** Statuses from here on are server failures; the request was not admitted. */
const SERVER_FAILED = 500;

/** Reads the decision from an answer. @throws Error with the problem of an answer that shows none */
export interface ReadsAnswers {
  read(answer: HttpAnswer): 'Admitted' | 'Rejected';
}

type Outcome = Pick<CallerRequest, 'cause' | 'outcome' | 'status'>;

/** The outcome of a request without an answer; undefined: it was not sent, or its answer was dropped (NO_ROOM). */
const OUTCOME_OF_FAILURE: Readonly<Partial<Record<FailureCode, Outcome>>> = {
  TIMEOUT: { outcome: 'Timeout' },
  UNREACHABLE: { outcome: 'Error', cause: 'Unreachable' },
  RESET: { outcome: 'Error', cause: 'Reset' },
  BAD_ANSWER: { outcome: 'Error', cause: 'Answer' },
};

/**
 * The outcome of a request, and its cause if that is neither an admission nor a rejection; undefined if the request was
 * not sent, or its answer was dropped.
 */
export function outcomeOf(
  { answer, failure }: Exchange,
  callers: ReadsAnswers,
): (Outcome & { readonly problem?: string }) | undefined {
  if (answer) {
    const { status } = answer;
    try {
      const outcome = callers.read(answer);
      return outcome === 'Admitted' ? { outcome } : { outcome, status };
    } catch (error) {
      const cause = status >= SERVER_FAILED ? 'ServerError' : 'Answer';
      return { outcome: 'Error', cause, status, problem: messageOf(error) };
    }
  }
  return outcomeOfFailure(failure);
}

/** The same for a request without an answer. */
export function outcomeOfFailure({ code, message }: Failure) {
  const outcome = OUTCOME_OF_FAILURE[code];
  return outcome && { ...outcome, problem: message };
}

/** A request with its outcome, and its cause if neither admitted nor rejected; undefined as for {@link outcomeOf}. */
export function requestIn(
  result: RequestResult,
  callers: ReadsAnswers,
  of: Pick<CallerRequest, 'caller' | 'key' | 'pod'>,
): { readonly request: CallerRequest; readonly problem?: string } | undefined {
  const outcome = outcomeOf(result, callers);
  if (!outcome) return undefined;
  const { problem, ...rest } = outcome;
  const request = { ...of, sentAt: result.sentAt, endedAt: result.endedAt, ...rest };
  return { request, ...(problem !== undefined && { problem }) };
}

/** Whether the connection broke, or was never made. */
export function isConnectionFailure({ cause }: Pick<CallerRequest, 'cause'>): boolean {
  return cause === 'Unreachable' || cause === 'Reset';
}
