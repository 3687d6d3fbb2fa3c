/**
 * Whether a command may still be sent, checked right before it. A process that was frozen must not act on its earlier
 * decision, so this checks the clocks, the term of leadership and the lock now.
 */
import { INJECTION_TIMEOUT_MS } from '../../engine/chaos-stage.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Effect } from '../../engine/effects.ts';
import type { Lock, Permit } from '../../engine/subject.ts';

/** Why a process that no longer leads may send nothing. */
export const NOT_LEADING = 'this operator no longer leads';
const RESTORING = 'the run is being restored';
const LOCK_LOST = 'the lock on the target was lost';

/** The conditions of a permit. Functions, since each may change before the check. */
export interface PermitTerms {
  readonly clock: Clock;
  /** Whether the term of leadership in which this was begun still leads. */
  readonly leads: () => boolean;
  readonly lock: () => Lock | undefined;
  /** Whether the run is being undone, so that no fault may follow. */
  readonly released: () => boolean;
  /** Whether the last health check showed no issue, or there was no check. */
  readonly healthy: () => boolean;
  /** Whether the injection has begun: connecting may take a while then. */
  readonly begun: (fault: string) => boolean;
}

/** The permit for one effect. */
export function permitFor(effect: Effect, terms: PermitTerms): Permit {
  return {
    refusal() {
      if (!terms.leads()) return NOT_LEADING;
      return effect.kind === 'Inject' ? againstFault(effect, terms) : undefined;
    },
  };
}

function againstFault(
  { id, plannedAt, until }: Extract<Effect, { kind: 'Inject' }>,
  { begun, clock, healthy, lock, released }: PermitTerms,
): string | undefined {
  if (released()) return RESTORING;
  const now = clock.now();
  if (now >= until || (!begun(id) && now > plannedAt + INJECTION_TIMEOUT_MS)) return 'its moment has passed';
  // It was healthy at the decision, and storing the decision takes a while.
  if (!begun(id) && !healthy()) return 'the subject became unhealthy';
  return lock()?.isHeld() ? undefined : LOCK_LOST;
}
