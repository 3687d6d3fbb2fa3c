/** A burst as events of a history: each request as observed by its sender. Pure. */
import { truncate } from '../../../api/index.ts';
import type { CallerRequest, EventOf } from '../history/events.ts';
import type { Burst } from '../http/burst-plan.ts';
import type { FailureCode } from '../http/failure.ts';
import type { Decision } from '../interfaces/callers.ts';

/** Requests that were sent, and had no proper answer. */
const LEFT: Readonly<Partial<Record<FailureCode, Pick<CallerRequest, 'cause' | 'outcome'>>>> = {
  TIMEOUT: { outcome: 'Timeout' },
  NO_ROOM: { outcome: 'Timeout' },
  RESET: { outcome: 'Error', cause: 'Reset' },
  BAD_ANSWER: { outcome: 'Error', cause: 'Answer' },
};

/**
 * @param key of the caller
 * @param judgedAt when the last answer was known; milliseconds since the epoch
 * @param request name of the request in messages: "POST /check"
 */
export function burstEvents(
  key: string,
  { endedAt, outcomes, sendSpanMs, startedAt }: Burst<Decision>,
  judgedAt: number,
  request?: string,
): { readonly requests: readonly CallerRequest[]; readonly burst: EventOf<'burst'> } {
  const requests: CallerRequest[] = [];
  const notSent: Record<string, number> = {};
  let first: { readonly at: number; readonly error: string } | undefined;
  for (const { pod, sentAt, endedAt: at, answer, failure } of outcomes) {
    const left = failure ? LEFT[failure.code] : { outcome: answer };
    if (left) requests.push({ pod, caller: 'Burst', key, sentAt, endedAt: at, ...left });
    else notSent[pod] = (notSent[pod] ?? 0) + 1;
    if (failure && (!first || at < first.at)) {
      first = { at, error: [pod, ...(request === undefined ? [] : [request]), failure.message].join(': ') };
    }
  }
  return {
    requests,
    burst: {
      kind: 'burst',
      key,
      startedAt,
      endedAt,
      sendSpanMs,
      notSent,
      ...(first && { firstError: truncate(first.error, 200) }),
      at: judgedAt,
    },
  };
}
