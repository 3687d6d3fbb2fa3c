/** The requests of contenders for a lock behind HTTP, by the mapping in the spec, and how to read their answers. Pure. */
import type { HttpAnswer } from '../../http/answer.ts';
import type { ReadsAnswers } from '../../http/caller-request.ts';
import { partAt } from '../../http/json-body.ts';
import { filledIn, type HttpRequest } from '../../http/request.ts';
import { KEY_PLACE } from '../../spec/pods-schema.ts';
import { type LockSpec, TOKEN_PLACE } from '../spec/schema.ts';

/** A token that a header may carry. */
const TOKEN = /^[!-~]{1,1024}$/;

export type LockRequests = ReturnType<typeof lockRequestsOf>;

/** @param secretHeaders sent as they are, and never shown */
export function lockRequestsOf(lock: LockSpec, secretHeaders: Readonly<Record<string, string>> = {}) {
  const { deniedStatuses, fencing, grantedStatuses, token: place } = lock.acquire;

  /** The token of a grant. @throws Error with the problem of an answer without it */
  const tokenIn = (answer: HttpAnswer, own: string): string => {
    const found = place ? (partAt(place, answer) ?? '') : own;
    if (TOKEN.test(found)) return found;
    throw new Error('granted the lock without a token that can be sent: correct lock.acquire.token');
  };

  return {
    tokenIn,

    /** @param token of the grant; to acquire: of the caller, if the response has none */
    requestTo(act: 'acquire' | 'release', key: string, token: string): HttpRequest {
      // A token of a JSON body stands between quotes.
      const body = JSON.stringify(token).slice(1, -1);
      const written = { path: encodeURIComponent(token), header: token, body };
      return filledIn(lock[act], secretHeaders, (text, of) =>
        text.replaceAll(KEY_PLACE, () => key).replaceAll(TOKEN_PLACE, () => written[of]),
      );
    },

    /** The decision on a request to acquire. */
    read(answer: HttpAnswer): 'Admitted' | 'Rejected' {
      const { status } = answer;
      if (grantedStatuses.includes(status)) {
        // Without its token, it could not be released.
        tokenIn(answer, '-');
        return 'Admitted';
      }
      if (deniedStatuses.includes(status)) return 'Rejected';
      throw new Error(`responded with ${status}, which neither grants nor denies the lock by the spec`);
    },

    /** The fencing token of a grant; undefined: it has none. */
    fenceIn(answer: HttpAnswer): number | undefined {
      const found = Number(partAt(fencing, answer) ?? Number.NaN);
      return Number.isSafeInteger(found) ? found : undefined;
    },
  };
}

/** Whether a request gave its slot back: a status from 400 to 499 says that it was not held any more. */
export const RELEASES: ReadsAnswers = {
  read({ status }) {
    if (status < 300) return 'Admitted';
    if (status < 500) return 'Rejected';
    throw new Error(`responded with ${status}`);
  },
};
