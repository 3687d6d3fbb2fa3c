/** Which requests tell of the time before a pause of Redis, of the pause, and of the time after it. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { OutageSpan } from './behaviour.ts';

/**
 * How much later than its caller's patience an answer may be read and still count as in time, in milliseconds: timers
 * and sockets are served in turns. What is read later, the operator itself has held up.
 */
const READ_WITHIN_MS = 50;

export interface Phases {
  /** Their answers were there when the pause began. */
  readonly before: readonly CallerRequest[];
  /** Sent in the pause, and answered in time or given up before its end: so no answer came of the end alone. */
  readonly during: readonly CallerRequest[];
  /**
   * Sent in the pause, and read so late that the answer may have been there in time, or may be due to the end of the
   * pause: the operator stood still.
   */
  readonly untimed: readonly CallerRequest[];
  /** Sent when it was over. */
  readonly after: readonly CallerRequest[];
}

/** `callerTimeoutMs`: how long a caller waits. A request that is of two phases, or of none for sure, is left out. */
export function phasesOf(
  requests: readonly CallerRequest[],
  { endedAt: pauseEnd, startedAt }: OutageSpan,
  callerTimeoutMs: number,
): Phases {
  const sent = requests.filter(({ sentAt }) => sentAt >= startedAt && sentAt + callerTimeoutMs <= pauseEnd);
  // A request that was given up, however late, had no answer by then.
  const isTimed = ({ endedAt, got, sentAt }: CallerRequest): boolean =>
    got === 'Unanswered' || (endedAt <= pauseEnd && endedAt - sentAt <= callerTimeoutMs + READ_WITHIN_MS);
  return {
    before: requests.filter(({ endedAt }) => endedAt <= startedAt),
    during: sent.filter(isTimed),
    untimed: sent.filter((request) => !isTimed(request)),
    after: requests.filter(({ sentAt }) => sentAt >= pauseEnd),
  };
}
