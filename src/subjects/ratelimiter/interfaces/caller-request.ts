/** One request of a caller, and what became of it. Pure. */

import { messageOf } from '../../../api/index.ts';
import type { FailureCode } from '../http/failure.ts';
import type { Asked } from '../http/node-client.ts';
import type { Callers } from './callers.ts';

/** Failed: an answer that neither admits nor denies, or a connection that broke. */
export type Got = 'Admitted' | 'Denied' | 'Failed' | 'Unanswered';

export interface CallerRequest {
  readonly node: string;
  readonly caller: CallerKind;
  /** Which of several callers of that kind; undefined: there is one, or it does not matter. */
  readonly key?: string;
  /** Milliseconds since the epoch, by one monotonic clock. */
  readonly sentAt: number;
  /** When the answer was there, or was given up. */
  readonly endedAt: number;
  readonly got: Got;
  /** The connection broke, or none came about: the node said nothing. */
  readonly unheard?: true;
  /** The answer that came after the caller had given up; undefined: none came while the operator listened. */
  readonly late?: LateAnswer;
}

/**
 * Within: stays under its limit. Beyond: had used its limit up before the fault. Reaching: first seen in the fault,
 * and crosses its limit there. Crossing: had one request left when the fault began, and crosses its limit there.
 * Control: a request that needs no limiter.
 */
export type CallerKind = 'Within' | 'Beyond' | 'Reaching' | 'Crossing' | 'Control';

/** What a request came to for which no caller waited any more. */
export interface LateAnswer {
  readonly got: Exclude<Got, 'Unanswered'>;
  /** Milliseconds since the epoch, by the clock of the request. */
  readonly at: number;
}

/** When a request was admitted, in time or late; undefined: it was not, as far as is known. */
export function admittedAt({ endedAt, got, late }: CallerRequest): number | undefined {
  if (got === 'Admitted') return endedAt;
  return late?.got === 'Admitted' ? late.at : undefined;
}

/** What a caller got where it got no answer; undefined: it was not heard, or not listened to (NO_ROOM). */
const GOT_OF_FAILURE: Readonly<Partial<Record<FailureCode, Got>>> = {
  TIMEOUT: 'Unanswered',
  UNREACHABLE: 'Failed',
  RESET: 'Failed',
  BAD_ANSWER: 'Failed',
};

/** What a caller got, and why that is neither yes nor no; undefined where the request never left, or we gave up its answer. */
export function gotOf(
  { answer, failure }: Asked,
  callers: Pick<Callers, 'read'>,
): (Pick<CallerRequest, 'got' | 'unheard'> & { readonly problem?: string }) | undefined {
  if (answer) {
    try {
      return { got: callers.read(answer) };
    } catch (error) {
      return { got: 'Failed', problem: messageOf(error) };
    }
  }
  const got = failure && GOT_OF_FAILURE[failure.code];
  const unheard = got === 'Failed' && failure?.code !== 'BAD_ANSWER';
  return got && { got, problem: failure.message, ...(unheard && { unheard }) };
}
