/** The outcome of one request of a caller, by what was answered. Pure. */

import { messageOf } from '../../../api/index.ts';
import type { CallerRequest, Got } from '../history/events.ts';
import type { FailureCode } from '../http/connection.ts';
import type { Asked } from '../http/node-client.ts';
import type { Callers } from './callers.ts';

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
