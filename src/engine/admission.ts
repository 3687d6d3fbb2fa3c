/** Whether the subject may be touched, and when that is checked again. */
import type { Context } from './context.ts';
import { isRunActive } from './fault-times.ts';
import type { Admission, LastCheck } from './observed.ts';

/** Interval between checks of an object that is refused or waits, and of pods during an awaited rollout. */
export const RETRY_MS = 10_000;

/** Interval for refreshing the message about active runs. A free slot wakes the object at once. */
const SLOT_RETRY_MS = 30_000;

/**
 * Whether the subject may be touched, as far as is known: before a run, an answer for another spec does not count;
 * during a run it stays valid, whatever is edited.
 */
export function admissionOf({ demo, draft, observed }: Context): Admission {
  if (observed.killSwitch) {
    const message = isRunActive(draft)
      ? 'The kill switch of the operator was turned on, which stops every run'
      : 'The kill switch of the operator is active: no run starts until it is released';
    return { state: 'refused', reason: 'KillSwitch', message };
  }
  const { admission, lastAdmissionCheck } = observed;
  const known = isRunActive(draft) || lastAdmissionCheck?.generation === demo.metadata.generation;
  return known ? admission : { state: 'unknown' };
}

/** When to check again. At once if the last check lies in the future: the clock was set back since. */
export function nextCheck({ at }: Pick<LastCheck, 'at'>, now: number): number {
  return at > now + RETRY_MS ? now : at + RETRY_MS;
}

/** Whether the result of the last check is still valid, though another check is due and waits for room. */
export function isAdmissionCheckValid({
  demo,
  now,
  observed: { lastAdmissionCheck: lastCheck },
}: Context): boolean {
  return (
    lastCheck?.generation === demo.metadata.generation && now < nextCheck(lastCheck, now) + SLOT_RETRY_MS
  );
}

/**
 * Requests a check whether the subject may be touched, if the last one is too old or was for another spec. `mustUndo`:
 * something left active by an earlier process has to be undone, whatever the answer.
 */
export function requestAdmissionCheck(context: Context, mustUndo: boolean): void {
  const { demo, draft, now, observed } = context;
  if (observed.killSwitch && !mustUndo) return context.wake(now + RETRY_MS);
  const lastCheck = observed.lastAdmissionCheck;
  const known =
    lastCheck !== undefined && (isRunActive(draft) || lastCheck.generation === demo.metadata.generation);
  const due = known ? nextCheck(lastCheck, now) : now;
  const granted = known && observed.admission.state === 'granted';
  const awaitsSlot = !granted && now >= due && observed.noSlotReason !== undefined && !mustUndo;
  if (awaitsSlot) context.request('slot');
  // An object that was never checked has nothing to remember while it waits.
  if (!awaitsSlot || lastCheck) context.request('session');
  if (granted) return;
  if (now < due) return context.wake(due);
  if (awaitsSlot) return context.wake(now + SLOT_RETRY_MS);
  context.request({ kind: 'Admit', id: `admit/${demo.metadata.generation}`, mustUndo });
}
