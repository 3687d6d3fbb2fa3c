/** What a probe write shows of a stall that was reported. Pure. */
import type { ProbeEvent } from '../../events.ts';

/** A probe looks every 250 ms, and a process on a busy machine is late; milliseconds. */
const WITHIN_MS = 1000;

/** How a probe contradicts that writes stalled from `startedAt` to `endedAt`; undefined: it does not. */
export function notHeld(
  { at, state, tookMs = 0 }: ProbeEvent,
  startedAt: number,
  endedAt: number,
): string | undefined {
  const sentAt = at - tookMs;
  if (state === 'Written' && sentAt > startedAt + WITHIN_MS && at < endedAt - WITHIN_MS)
    return 'a write was accepted while writes stalled';
  if (state === 'Waiting' && sentAt < endedAt && at > endedAt + WITHIN_MS)
    return 'a write still waited after writes had stalled';
  return undefined;
}
