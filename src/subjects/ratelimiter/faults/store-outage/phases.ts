/** Which requests tell of the time before a pause of Redis, of the pause, and of the time after it. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { OutageSpan } from './behaviour.ts';

export interface Phases {
  /** Their answers were there when the pause began. */
  readonly before: readonly CallerRequest[];
  /** Sent in the pause, and given up at the latest when it ended: so no answer came of the end alone. */
  readonly during: readonly CallerRequest[];
  /** Sent when it was over. */
  readonly after: readonly CallerRequest[];
}

/** `callerTimeoutMs`: how long a caller waits. A request that is of two phases, or of none for sure, is left out. */
export function phasesOf(
  requests: readonly CallerRequest[],
  { endedAt: pauseEnd, startedAt }: OutageSpan,
  callerTimeoutMs: number,
): Phases {
  return {
    before: requests.filter(({ endedAt }) => endedAt <= startedAt),
    during: requests.filter(({ sentAt }) => sentAt >= startedAt && sentAt + callerTimeoutMs <= pauseEnd),
    after: requests.filter(({ sentAt }) => sentAt >= pauseEnd),
  };
}
