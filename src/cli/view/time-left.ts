/** How long an active run still takes. Pure. */
import type { ChaosDemo } from '../../api/index.ts';
import { sumOf } from '../../subjects/history/counts.ts';
import { kindOf } from '../../subjects/index.ts';
import { plansOf } from '../../subjects/scenarios/scenario-type.ts';

/** The longest that faults without a result take, with what is awaited before and after; 0: none, or not known. */
export function leftOf({ spec, status = {} }: ChaosDemo, now: number): number {
  if (status.run?.completedAt !== undefined) return 0;
  try {
    return sumOf(
      plansOf(kindOf(spec), spec).map((plan) => {
        const { fault, result } = status.scenarios?.find(({ name }) => name === plan.scenario.name) ?? {};
        const waitMs = plan.countdownMs + plan.cooldownsToPrepare * plan.cooldownMs;
        const faultAt = fault ? Date.parse(fault.plannedAt) : now + waitMs;
        return result ? 0 : Math.max(0, faultAt + plan.faultMs + plan.settleMs - now);
      }),
    );
  } catch {
    return 0; // The operator may be of a later version, with types that this one does not know.
  }
}
