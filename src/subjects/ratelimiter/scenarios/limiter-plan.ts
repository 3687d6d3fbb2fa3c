/** A scenario of a rate limiter, and what all its types have. */
import { formatDuration, parseDuration } from '../../../api/index.ts';
import { ScenarioPlan } from '../../scenarios/scenario-plan.ts';
import type { ScenarioType } from '../../scenarios/scenario-type.ts';
import type { FaultTruth } from '../../scenarios/truth.ts';
import type { Toolkit } from '../controls/tools.ts';
import { DRAWS, type Setup } from '../history/setup.ts';
import { admittedAtOnce, type Rules } from '../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, mostCooldownMs, windowEnd } from '../limits/window-turn.ts';
import { PART, type RateLimiterSpec, rulesOf } from '../spec/schema.ts';

export abstract class LimiterPlan<P extends object = object> extends ScenarioPlan<P, RateLimiterSpec> {
  /** By which the limiter may count. */
  readonly rules: Rules = rulesOf(this.part);
  readonly windowMs = parseDuration(this.part.limit.window);
  /** What the limit admits at once. */
  readonly full = admittedAtOnce(this.rules);
  abstract override readonly truth: FaultTruth;
  override readonly isOneCaller = this.part.http.identity === 'SourceAddress';
  override readonly cooldownMs = this.isOneCaller ? mostCooldownMs(this.rules) : 0;

  /** Why it does not fit into one window, with what to change; undefined: it does. */
  protected tooLongForWindow(fields: string): string | undefined {
    const { window } = this.part.limit;
    const end = windowEnd(this.rules, 0);
    // By the clock, it has to have begun by every clock, and the fault is planned a moment later.
    const roomMs = Math.max(0, end === undefined ? this.windowMs - 1 : end - 2 * CLOCK_WITHIN_MS);
    if (this.storyMs <= roomMs) return undefined;
    return `${this.called}: ${fields} take ${formatDuration(this.storyMs)}. By every clock, one ${PART}.limit.window of ${window} has ${formatDuration(roomMs)} for them: reduce these, or lengthen the window`;
  }
}

export type LimiterType<A, P extends LimiterPlan> = ScenarioType<A, P, Toolkit, Setup>;

/** What is the same for all types. */
export const ofLimiter = {
  isExplained: true,
  partIn: ({ limiter }: Setup) => limiter,
  setup({ part: limiter, rate = 0 }: LimiterPlan, { control }: Toolkit) {
    const { lags, ...measured } = control()?.baseline ?? {};
    const lag = lags?.get(rate)?.lag;
    return {
      limiter,
      draws: DRAWS,
      clockWithinMs: CLOCK_WITHIN_MS,
      ...(lags && { baseline: { ...measured, ...(lag !== undefined && { lag }) } }),
    };
  },
};
